// Gradients of the row-wise operations of the ball. One thread a row turns the inner products into
// the coefficients of each operand's gradient over the rows a, s, v and g; derivatives of the
// stage's coefficients come one direction at a time. Constants: those of ball_rows.wgsl, with
// GRADIENT = 1. Needs ball_dual.wgsl, ball_coefficients.wgsl and ball_rows.wgsl.

@group(0) @binding(5) var<storage, read_write> rows_g: array<u32>;
@group(0) @binding(6) var<storage, read_write> out_a: array<u32>;
@group(0) @binding(7) var<storage, read_write> out_b: array<u32>;  // b's, or t's where there is no b
@group(0) @binding(8) var<storage, read_write> out_v: array<u32>;  // v's, or t's where there is b

const HAS_NUMBER: bool = ONLY_NUMBER || TIMED_OUT || OP == OP_WEIGHTED;
// Of the Fréchet mean, at which rows a stand: results count by their weights, and t is the weight.
const OF_MEAN: bool = WIDE != 0u;
const WANTED_A: u32 = 1u;
const WANTED_B: u32 = 2u;
const WANTED_V: u32 = 4u;
const WANTED_T: u32 = 8u;

// Gradient of row entry j, and of the number.
fn raw_g(j: u32) -> f32 {
  return bitcast<f32>(rows_g[base_g + j + select(0u, 1u, TIMED_OUT)]);
}
fn raw_g_number() -> f32 {
  if (!HAS_NUMBER) { return 0.0; }
  if (OP == OP_WEIGHTED) { return p.g_number; }
  return bitcast<f32>(rows_g[base_g]);
}

// Far rows keep their length here: the stage maps them.
fn import_scale(aa: vec2<f32>) -> vec2<f32> {
  if (is_far(aa)) { return vec2<f32>(1.0, 0.0); }
  return clamp_factor(aa);
}

// A row of coefficients over a, s, v and g.
struct Mix {
  a: vec2<f32>,
  s: vec2<f32>,
  v: vec2<f32>,
  g: vec2<f32>,
}

fn mix_add(x: Mix, y: Mix) -> Mix {
  return Mix(p_add(x.a, y.a), p_add(x.s, y.s), p_add(x.v, y.v), p_add(x.g, y.g));
}
fn mix_scale(f: vec2<f32>, x: Mix) -> Mix {
  return Mix(p_mul(f, x.a), p_mul(f, x.s), p_mul(f, x.v), p_mul(f, x.g));
}

var<private> gram: Gram;

fn with_s() -> vec2<f32> { return 0.5 * p_sub(p_add(gram.aa, gram.ss), gram.bb); }  // ⟨a, s⟩

fn dot_mix(x: Mix, on_a: vec2<f32>, on_s: vec2<f32>, on_v: vec2<f32>,
           on_g: vec2<f32>) -> vec2<f32> {
  var sum = p_mul(x.a, on_a);
  if (HAS_B) { sum = p_add(sum, p_mul(x.s, on_s)); }
  if (HAS_V) { sum = p_add(sum, p_mul(x.v, on_v)); }
  return p_add(sum, p_mul(x.g, on_g));
}
fn dot_a(x: Mix) -> vec2<f32> { return dot_mix(x, gram.aa, with_s(), gram.av, gram.ga); }
fn dot_s(x: Mix) -> vec2<f32> { return dot_mix(x, with_s(), gram.ss, gram.sv, gram.gs); }
fn dot_v(x: Mix) -> vec2<f32> { return dot_mix(x, gram.av, gram.sv, gram.vv, gram.gv); }
// Of rows without g.
fn dot_rows(x: Mix, y: Mix) -> vec2<f32> {
  let sum = p_add(p_mul(y.a, dot_a(x)), p_mul(y.s, dot_s(x)));
  if (HAS_V) { return p_add(sum, p_mul(y.v, dot_v(x))); }
  return sum;
}
fn dot_g(x: Mix) -> vec2<f32> {
  let sum = p_add(p_mul(x.a, gram.ga), p_mul(x.s, gram.gs));
  if (HAS_V) { return p_add(sum, p_mul(x.v, gram.gv)); }
  return sum;
}

const ZERO = vec2<f32>(0.0, 0.0);
const ONE = vec2<f32>(1.0, 0.0);

// g turned by the clamp of a result of squared length n before it.
fn turn_by_clamp(g: Mix, result: Mix, n: vec2<f32>, on_result: vec2<f32>) -> Mix {
  let q = clamp_factor(n);
  if (is_one(q)) { return g; }
  let along = p_div(on_result, n);
  return mix_scale(q, mix_add(g, mix_scale(-along, result)));
}

fn seeded(value: vec2<f32>, here: bool) -> Num {
  return Num(value, vec2<f32>(select(0.0, 1.0, here), 0.0));
}

fn products(direction: u32) -> Products {
  let ss = seeded(gram.ss, direction == 2u);
  return Products(seeded(gram.aa, direction == 0u), seeded(gram.bb, direction == 1u), ss,
                  seeded(gram.vv, direction == 3u), seeded(gram.av, direction == 4u),
                  seeded(gram.sv, direction == 5u), seeded(gram.t, direction == 6u),
                  n_sqrt(ss));
}

// Which inner products the stage reads: bits in the order of `products`.
const READS: u32 = 1u | select(0u, 6u, HAS_B) | select(0u, 8u, OP == OP_EXPMAP) |
                   select(0u, 24u, OP == OP_L_EXPMAP) |
                   select(0u, 48u, OP == OP_GYRATION || OP == OP_TRANSPORT) |
                   select(0u, 48u, OP == OP_L_TRANSPORT) | select(0u, 48u, L_TWO) |
                   select(0u, 16u, OP == OP_L_EGRAD2RGRAD || OP == OP_L_TO_TANGENT) |
                   select(0u, 16u, OP == OP_L_FROM_TANGENT) | select(0u, 64u, HAS_T);

// Gradients of a sum a ⊕ w: by w, returned, and by a beside it.
var<private> by_a: Mix;
var<private> by_b: Mix;
var<private> by_v: Mix;
var<private> by_t: vec2<f32>;

fn through_sum(w: Mix, ww: vec2<f32>) -> Mix {
  let a = Mix(ONE, ZERO, ZERO, ZERO);
  let s = mix_add(a, w);
  let ss = dot_rows(s, s);
  var incoming = Mix(ZERO, ZERO, ZERO, ONE);
  var on_a = ZERO;
  var on_s = ZERO;
  var value: Combination;
  var clamped = false;
  var by: array<vec2<f32>, 3>;
  for (var k = 0u; k < 4u; k = k + 1u) {  // values first, then each direction
    let m = mobius_sum(seeded(gram.aa, k == 1u), seeded(ww, k == 2u), seeded(ss, k == 3u));
    if (k == 0u) {
      value = m;
      let result = mix_add(mix_scale(m.s.v, s), mix_scale(m.a.v, a));
      clamped = !is_one(clamp_factor(m.number.v));
      incoming = turn_by_clamp(incoming, result, m.number.v, dot_g(result));
      on_a = dot_a(incoming);
      on_s = p_add(on_a, p_add(p_add(p_mul(w.a, on_a), p_mul(w.s, dot_s(incoming))),
                               p_mul(w.v, dot_v(incoming))));
    } else {
      by[k - 1u] = p_add(p_mul(on_a, m.a.d), p_mul(on_s, m.s.d));
    }
  }
  if (clamped) {
    // The incoming row is orthogonal to the result, and only the coefficients' ratio counts.
    let open = p_add_f(-gram.aa, 1.0);
    by[2] = p_div(p_mul(on_a, value.s.v), open);
    by[0] = p_div(p_mul(by[2], ss), open);
    by[1] = ZERO;
  }
  let by_sum = mix_add(mix_scale(value.s.v, incoming), mix_scale(2.0 * by[2], s));
  by_a = mix_add(by_sum, mix_add(mix_scale(value.a.v, incoming), mix_scale(2.0 * by[0], a)));
  return mix_add(by_sum, mix_scale(2.0 * by[1], w));
}

// What each direction's derivative adds.
fn pull_back(k: u32, by: vec2<f32>) {
  switch (k) {
    case 0u: { by_a.a = p_add(by_a.a, 2.0 * by); }
    case 1u: {  // b = s − a
      by_b.a = p_add(by_b.a, -2.0 * by);
      by_b.s = p_add(by_b.s, 2.0 * by);
    }
    case 2u: {
      by_a.s = p_add(by_a.s, 2.0 * by);
      by_b.s = p_add(by_b.s, 2.0 * by);
    }
    case 3u: { by_v.v = p_add(by_v.v, 2.0 * by); }
    case 4u: {
      if (L_TWO) {
        by_a.s = p_add(by_a.s, by);
        by_a.a = p_sub(by_a.a, by);
        by_b.a = p_add(by_b.a, by);
        return;
      }
      by_a.v = p_add(by_a.v, by);
      by_v.a = p_add(by_v.a, by);
    }
    case 5u: {
      if (L_TWO) {  // v is b = s − a
        by_a.s = p_add(by_a.s, by);
        by_a.a = p_sub(by_a.a, by);
        by_b.s = p_add(by_b.s, 2.0 * by);
        by_b.a = p_sub(by_b.a, by);
        return;
      }
      by_a.v = p_add(by_a.v, by);
      by_b.v = p_add(by_b.v, by);
      by_v.s = p_add(by_v.s, by);
    }
    default: { by_t = by; }
  }
}

// Gradients by the rows as they stand, clamped.
fn differentiate(far: bool, g_of_number: vec2<f32>) {
  var g_number = g_of_number;
  let none = Mix(ZERO, ZERO, ZERO, ZERO);
  by_a = none;
  by_b = none;
  by_v = none;
  by_t = ZERO;
  if (OP == OP_MOBIUS_ADD) {
    by_b = through_sum(Mix(-ONE, ONE, ZERO, ZERO), gram.bb);
    return;
  }
  var on_a = ZERO;
  var on_s = ZERO;
  var on_v = ZERO;
  for (var step = 0u; step < 8u; step = step + 1u) {  // values first, then each direction
    if (step != 0u && (READS & (1u << (step - 1u))) == 0u) { continue; }
    let r = stage(products(step - 1u), far);
    if (step != 0u) {
      let rows = p_add(p_mul(on_a, r.a.d), p_add(p_mul(on_s, r.s.d), p_mul(on_v, r.v.d)));
      pull_back(step - 1u, p_add(rows, p_mul(g_number, r.number.d)));
      continue;
    }
    if (ONLY_NUMBER) { continue; }
    let result = Mix(r.a.v, r.s.v, r.v.v, ZERO);
    if (OF_MEAN) { by_t = dot_g(result); }
    var incoming = Mix(ZERO, ZERO, ZERO, ONE);
    if (ADDS) {
      incoming = through_sum(result, dot_rows(result, result));
    } else if (CLAMPS && (OP != OP_IMPORT || far)) {
      incoming = turn_by_clamp(incoming, result, dot_rows(result, result), dot_g(result));
    } else if (L_POINT && r.number.v.x > L_EDGE) {
      let along = p_div(p_div(dot_g(result), r.number.v), r.number.v);
      let q = p_div(p_of(L_MAX), r.number.v);
      incoming = mix_scale(q, mix_add(incoming, mix_scale(-along, result)));
      g_number = ZERO;
    }
    on_a = dot_a(incoming);
    if (HAS_B) {
      on_s = dot_s(incoming);
      let both = mix_scale(r.s.v, incoming);
      by_a = mix_add(by_a, both);
      by_b = both;
    }
    if (HAS_V) {
      on_v = dot_v(incoming);
      by_v = mix_scale(r.v.v, incoming);
    }
    by_a = mix_add(by_a, mix_scale(r.a.v, incoming));
  }
}

// A gradient by a clamped row turned into one by the row itself; `along` is ⟨gradient, row⟩ over
// the row's squared length.
fn turn(x: Mix, factor: vec2<f32>, along: vec2<f32>, is_b: bool) -> Mix {
  if (is_one(factor)) { return x; }
  var out = x;
  if (is_b) {
    out.s = p_sub(out.s, along);
    out.a = p_add(out.a, along);
  } else {
    out.a = p_sub(out.a, along);
  }
  return mix_scale(factor, out);
}

const RESULTS: u32 = 14u;
var<workgroup> results: array<vec2<f32>, ROWS * RESULTS>;

fn store_mix(at: u32, x: Mix) {
  results[at] = x.a;
  results[at + 1u] = x.s;
  results[at + 2u] = x.v;
  results[at + 3u] = x.g;
}

fn store_t(row: u32) {
  let kappa = vec2<f32>(p.kappa, p.kappa_low);
  var value = p_div(by_t, kappa).x;
  if (OF_MEAN) { value = value * p.rate; }
  var bits = bitcast<u32>(scale_by_power(value, power_g - p.shift));
  if (!is_finite_row) { bits = 0x7fc00000u; }
  if (HAS_B) { out_v[row] = bits; } else { out_b[row] = bits; }
}

// Time columns of gradients: 0, but of the G of egrad2rgrad.
fn store_times(row: u32) {
  let at = row * (p.cols + 1u);
  let zero = finished(0.0, 0);
  if ((p.wanted & WANTED_A) != 0u) { out_a[at] = zero; }
  if (HAS_B && (p.wanted & WANTED_B) != 0u) { out_b[at] = zero; }
  if (HAS_V && (p.wanted & WANTED_V) != 0u) {
    out_v[at] = zero;
    if (OP == OP_L_EGRAD2RGRAD) {
      let root = p_sqrt(vec2<f32>(p.kappa, p.kappa_low));
      out_v[at] = finished(p_div(by_t, root).x, power_g);
    }
  }
}

fn finish_products(local: u32, row: u32) {
  gram = products_of(local);
  let kappa = vec2<f32>(p.kappa, p.kappa_low);
  var g_number = ZERO;
  if (HAS_NUMBER) {
    let unit = p_mul(kappa, vec2<f32>(p.number, p.number_low));
    g_number = p_mul_f(unit, scale_g * raw_g_number());
    if (OP == OP_WEIGHTED) {
      g_number = p_mul(unit, scale_g * vec2<f32>(p.g_number, p.g_number_low));
    }
  }
  let far = OP == OP_IMPORT && is_far(gram.aa);
  differentiate(far, g_number);
  let first = local * RESULTS;
  store_mix(first, turn(by_a, gram.factor_a, p_div(dot_a(by_a), gram.aa), false));
  if (HAS_B) {
    let on_b = p_sub(dot_s(by_b), dot_a(by_b));
    store_mix(first + 4u, turn(by_b, gram.factor_b, p_div(on_b, gram.bb), true));
  }
  if (HAS_V) { store_mix(first + 8u, by_v); }
  results[first + 12u] = gram.factor_a;
  results[first + 13u] = gram.factor_b;
  if ((HAS_T || OF_MEAN) && (p.wanted & WANTED_T) != 0u) { store_t(row); }
  if (TIMED_IN) { store_times(row); }
}

// Entry of a gradient from its coefficients at `at`.
fn mixed(at: u32, a: vec2<f32>, s: vec2<f32>, v: f32, g: f32) -> f32 {
  var sum = p_mul(results[at], a);
  if (HAS_B) { sum = p_add(sum, p_mul(results[at + 1u], s)); }
  if (HAS_V) { sum = p_add(sum, p_mul_f(results[at + 2u], v)); }
  if (!ONLY_NUMBER) { sum = p_add(sum, p_mul_f(results[at + 3u], g)); }
  return sum.x;
}

fn finished(value: f32, power: i32) -> u32 {
  return select(0x7fc00000u, bitcast<u32>(scale_by_power(value, power)), is_finite_row);
}

fn store_entry(local: u32, row: u32, j: u32) {
  let first = local * RESULTS;
  let factor_a = results[first + 12u];
  let factor_b = results[first + 13u];
  let a = p_mul(factor_a, entry_a(j));
  var s = ZERO;
  if (HAS_B) {
    let b = entry_b(j);
    s = p_add_f(entry_a(j), b);
    if (!is_one(factor_a) || !is_one(factor_b)) {
      s = clamped_s(entry_a(j), b, factor_a, factor_b);
    }
  }
  var v = 0.0;
  if (HAS_V) { v = entry_v(j); }
  var g = 0.0;
  if (!ONLY_NUMBER) { g = scale_g * raw_g(j); }
  let at = row * (p.cols + OFFSET) + OFFSET + j;
  // What is linear in v has v's scale; numbers have that of their unit.
  var power = power_g;
  if (ONLY_NUMBER) { power = power + p.shift + p.number_shift; }
  let beside_v = power + select(0, power_v, LINEAR);
  if ((p.wanted & WANTED_A) != 0u) {
    out_a[at] = finished(mixed(first, a, s, v, g), beside_v - power_a);
  }
  if (HAS_B && (p.wanted & WANTED_B) != 0u) {
    var value = mixed(first + 4u, a, s, v, g);
    if (OF_MEAN) { value = value * (bitcast<f32>(values_t[index_t]) * p.rate); }
    out_b[at] = finished(select(value, -value, NEGATES_B), beside_v - power_b);
  }
  if (HAS_V && (p.wanted & WANTED_V) != 0u) {
    out_v[at] = finished(mixed(first + 8u, a, s, v, g), power - select(power_v, 0, LINEAR));
  }
}

const STORES_ROWS: bool = true;
