// Optimiser steps on the ball. Step and transport of a row are combinations of x, G and M (see
// optim_rows.wgsl). Needs optim_rows.wgsl.
struct Combo { x: vec2<f32>, g: vec2<f32>, m: vec2<f32> }

fn times(s: vec2<f32>, c: Combo) -> Combo {
  return Combo(p_mul(s, c.x), p_mul(s, c.g), p_mul(s, c.m));
}
fn plus(a: Combo, b: Combo) -> Combo {
  return Combo(p_add(a.x, b.x), p_add(a.g, b.g), p_add(a.m, b.m));
}

fn inner(q: Gram, a: Combo, b: Combo) -> vec2<f32> {
  let on_x = p_add(p_mul(b.x, q.xx), p_add(p_mul(b.g, q.xg), p_mul(b.m, q.xm)));
  let on_g = p_add(p_mul(b.x, q.xg), p_add(p_mul(b.g, q.gg), p_mul(b.m, q.gm)));
  let on_m = p_add(p_mul(b.x, q.xm), p_add(p_mul(b.g, q.gm), p_mul(b.m, q.mm)));
  return p_add(p_mul(a.x, on_x), p_add(p_mul(a.g, on_g), p_mul(a.m, on_m)));
}

fn not_negative(a: vec2<f32>) -> vec2<f32> {
  if (a.x <= 0.0) { return p_of(0.0); }
  return a;
}

fn scaled_pair(a: vec2<f32>, e: i32) -> vec2<f32> {
  return vec2<f32>(scale_by_power(a.x, e), scale_by_power(a.y, e));
}

// |c|² from the coordinates; x of the combination counts for the row as it was loaded.
fn squares_again(c: Combo) -> vec2<f32> {
  var sum = p_of(0.0);
  for (var j = 0u; j < p.cols; j += 1u) { sum = p_add(sum, p_square(combined(c, j))); }
  return sum;
}

fn combined(c: Combo, j: u32) -> vec2<f32> {
  var v = p_add(p_mul_f(c.x, entry_x(j)), p_mul_f(c.g, entry_g(j)));
  if (WITH_M != 0u) { v = p_add(v, p_mul_f(c.m, entry_m(j))); }
  return v;
}

// Direction d, of which the true one is 2^power times, and the new momentum.
struct Direction { d: Combo, m: Combo, power: i32 }

fn direction(q: Gram, gap: vec2<f32>, row: u32) -> Direction {
  let half = 0.5 * gap;
  var h = Combo(p_of(0.0), p_square(half), p_of(0.0));
  if (p.decay != 0.0 && DECOUPLED == 0u) {
    let pull = p_mul_f(p_mul(gap, artanh_ratio_value(p_mul(kappa_pair(), q.xx))), p.decay);
    h.x = scaled_pair(pull, power_g - p.shift);
  }
  if (ADAM == 0u) {
    let m = Combo(h.x, h.g, p_of(p.beta1));
    let power = p.shift - power_g;
    if (NESTEROV == 0u) { return Direction(m, m, power); }
    return Direction(plus(h, times(p_of(p.beta1), m)), m, power);
  }
  // Second moments at the scale of G: the quotient has none.
  let q_h = p_div(not_negative(inner(q, h, h)), p_square(half)).x;
  var u = p.beta2 * scale_by_power(second[row], 2 * power_g) + p.rest2 * q_h;
  second[row] = scale_by_power(u, -2 * power_g);
  if (AMSGRAD != 0u) {
    u = max(u, scale_by_power(most[row], 2 * power_g));
    most[row] = scale_by_power(u, -2 * power_g);
  }
  let m = Combo(p_mul_f(h.x, p.rest1), p_mul_f(h.g, p.rest1), p_of(p.beta1));
  let below = sqrt(u * p.inverse2) + scale_by_power(p.eps, power_g);
  if (!(below > 0.0)) { return Direction(Combo(p_of(0.0), p_of(0.0), p_of(0.0)), m, p.shift); }
  return Direction(times(p_of(p.inverse1 / below), m), m, p.shift);
}

// How far along −d a step goes as a sum x ⊕ (−along·d); 0 for none.
fn reach(dd: vec2<f32>, gap: vec2<f32>, power: i32) -> vec2<f32> {
  let length = p_sqrt(p_mul(kappa_pair(), dd));
  if (length.x == 0.0) { return p_of(0.0); }
  let z = scaled_pair(p_div(p_mul_f(length, p.rate), gap), power);
  if (z.x > 20.0) { return p_div(p_of(1.0), length); }
  if (z.x < 0.1) {
    let base = p_mul(tanh_ratio_value(p_square(z)), p_div(p_of(p.rate), gap));
    return scaled_pair(base, power);
  }
  return p_div(p_tanh(z), length);
}

var<workgroup> results: array<vec2<f32>, ROWS * 6u>;
var<workgroup> still: array<u32, ROWS>;

fn keep(local: u32, point: Combo, momentum: Combo) {
  results[local * 6u] = point.x;
  results[local * 6u + 1u] = point.g;
  results[local * 6u + 2u] = point.m;
  results[local * 6u + 3u] = momentum.x;
  results[local * 6u + 4u] = momentum.g;
  results[local * 6u + 5u] = momentum.m;
}

// From base·x by −along·d: sum, projection, transport; as in the CPU's simd/optim.cpp.
fn step_row(local: u32, inside: Inside, base: vec2<f32>, d: Combo, v: Combo, along: vec2<f32>,
        dd: vec2<f32>) {
  let q = inside.gram;
  let kappa = kappa_pair();
  let start = Combo(base, p_of(0.0), p_of(0.0));
  let xx = p_mul(p_square(base), q.xx);
  let gap = p_add_f(-p_mul(kappa, xx), 1.0);
  let xd = inner(q, start, d);
  let ww = p_mul(p_square(along), dd);
  var ss = p_add(p_add(xx, ww), -2.0 * p_mul(along, xd));
  if (ss.x < 1e-3 * (xx.x + ww.x)) {
    let sum = plus(start, times(-along, d));
    ss = squares_again(Combo(p_mul(inside.factor, sum.x), sum.g, sum.m));
  }
  let kss = p_mul(kappa, ss);
  let kww = p_mul(kappa, ww);
  let below = p_add(kss, p_mul(gap, p_add_f(-kww, 1.0)));
  let norm = p_div(kss, below);
  let f = clamp_factor(norm);
  let kyy = p_mul(p_square(f), norm);
  let on_x = p_add(p_mul(f, p_div(p_mul(gap, kww), below)), p_add_f(f, -1.0));
  let on_d = -p_mul(f, p_mul(p_div(gap, below), along));
  let point = plus(times(p_add_f(on_x, 1.0), start), times(on_d, d));
  var momentum = v;
  if (WITH_M != 0u) {
    let gap_y = p_add_f(-kyy, 1.0);
    let xv = inner(q, start, v);
    let sv = p_add(p_mul(on_x, xv), p_mul(on_d, inner(q, d, v)));
    let yv = p_add(sv, xv);
    let cross = 2.0 * p_mul(p_mul(on_x, on_d), xd);
    let squares = p_add(p_mul(p_square(on_x), xx), p_add(cross, p_mul(p_square(on_d), dd)));
    let between = p_mul(kappa, not_negative(squares));
    let scale = p_div(2.0 * kappa, p_add(between, p_mul(gap_y, gap)));
    let on_y = p_mul(scale, p_sub(p_mul(sv, p_add(between, gap)), p_mul(yv, between)));
    let on_s = p_mul(scale, p_add(p_mul(sv, kyy), p_mul(yv, gap_y)));
    let turn_x = p_sub(p_mul(on_y, p_add_f(on_x, 1.0)), p_mul(on_s, on_x));
    let turn_d = p_mul(p_sub(on_y, on_s), on_d);
    let turned = plus(v, plus(times(turn_x, start), times(turn_d, d)));
    momentum = times(p_div(gap_y, gap), turned);
  }
  keep(local, Combo(p_mul(inside.factor, point.x), point.g, point.m),
       Combo(p_mul(inside.factor, momentum.x), momentum.g, momentum.m));
}

fn finish(local: u32, row: u32) {
  let inside = products_of(local);
  let q = inside.gram;
  let kappa = kappa_pair();
  let gap = p_add_f(-p_mul(kappa, q.xx), 1.0);
  var to = direction(q, gap, row);
  var base = p_of(1.0);
  var gap_base = gap;
  if (DECOUPLED != 0u) {
    let n = p_mul(kappa, q.xx);
    let angle = p_mul(vec2<f32>(p.keep, p.keep_low), artanh_ratio_value(n));
    base = p_mul(angle, tanh_ratio_value(p_mul(n, p_square(angle))));
    base = p_mul(base, clamp_factor(p_mul(n, p_square(base))));
    gap_base = p_add_f(-p_mul(p_square(base), n), 1.0);
    let stretch = p_div(gap_base, gap);
    to = Direction(times(stretch, to.d), times(stretch, to.m), to.power);
  }
  let dd = not_negative(inner(q, to.d, to.d));
  let along = reach(dd, gap_base, to.power);
  still[local] = select(0u, 1u, along.x == 0.0 && DECOUPLED == 0u);
  step_row(local, inside, base, to.d, to.m, along, dd);
}

fn store(local: u32) {
  let at = local * 6u;
  let point = Combo(results[at], results[at + 1u], results[at + 2u]);
  let momentum = Combo(results[at + 3u], results[at + 4u], results[at + 5u]);
  for (var j = tid_lane; j < p.cols; j += LANES) {
    let x = scale_by_power(combined(point, j).x, -p.shift);
    if (WITH_M != 0u) {
      let m = scale_by_power(combined(momentum, j).x, -power_g);
      first[base_x + j] = bitcast<u32>(m);
    }
    if (still[local] == 0u) { w[base_x + j] = bitcast<u32>(x); }
  }
}

var<private> tid_lane: u32;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  pair_zero = p.zero;
  tid_lane = tid % LANES;
  let local = tid / LANES;
  let row = group * ROWS + local;
  let valid = row < p.rows;
  if (valid) { to_row(row); }
  find_tops(tid, valid);
  workgroupBarrier();
  scale_row(local);
  sum_products(tid, valid);
  workgroupBarrier();
  if (tid < ROWS && group * ROWS + tid < p.rows) {
    to_row(group * ROWS + tid);
    scale_row(tid);
    if (LAZY == 0u || !is_zero_g) { finish(tid, target_of(group * ROWS + tid)); }
  }
  workgroupBarrier();
  if (!valid) { return; }
  to_row(row);
  scale_row(local);
  if (LAZY != 0u && is_zero_g) { return; }
  store(local);
}
