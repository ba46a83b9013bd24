// Loss and gradients of a batch's items, one workgroup an item. Candidate y of node u gets the
// gradient on_row·y + on_u·u; u's own is stored, with a copy of u. Weights are relative to the
// nearest negative's, e^(-s·d) itself may be 0 for all. Constants: WG, ACROSS.

struct Params {
  items: u32,
  drawn: u32,       // the batch's first item among those drawn
  first: u32,       // and in the epoch's order
  dim: u32,
  slots: u32,
  scale: f32,
  scale_low: f32,
  zero: u32,        // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;
@group(0) @binding(3) var<storage, read_write> heads: array<u32>;
// Two a candidate: (exponent or weight, coefficient) and (factor on y, on u); at last the first is
// (on_row, on_u).
@group(0) @binding(4) var<storage, read_write> coefficients: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> points: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradients: array<vec2<f32>>;
@group(0) @binding(7) var<storage, read_write> losses: array<vec2<f32>>;

const GROUPS: u32 = WG / ACROSS;
var<workgroup> shared_sums: array<vec2<f32>, WG>;
var<workgroup> shared_tops: array<f32, WG>;

fn workgroup_sum(lid: u32, value: vec2<f32>) -> vec2<f32> {
  shared_sums[lid] = value;
  workgroupBarrier();
  for (var w = WG / 2u; w > 0u; w /= 2u) {
    if (lid < w) { shared_sums[lid] = p_add(shared_sums[lid], shared_sums[lid + w]); }
    workgroupBarrier();
  }
  let sum = shared_sums[0];
  workgroupBarrier();
  return sum;
}

fn workgroup_top(lid: u32, value: f32) -> f32 {
  shared_tops[lid] = value;
  workgroupBarrier();
  for (var w = WG / 2u; w > 0u; w /= 2u) {
    if (lid < w) { shared_tops[lid] = max(shared_tops[lid], shared_tops[lid + w]); }
    workgroupBarrier();
  }
  return shared_tops[0];
}

// e^x, x <= 0.
fn exp_below(x: vec2<f32>) -> vec2<f32> {
  if (x.x < -80.0) { return vec2<f32>(0.0, 0.0); }
  let k = round(x.x * 1.44269502162933349609375);
  let r = p_sub(x, p_mul_f(LN2, k));
  return p_power_of_two(i32(k)) * p_add_f(p_expm1(r), 1.0);
}

// The exponent -s·d and the factors of candidate `slot`; returns the exponent.
fn start_slot(at: u32, u: u32, y: u32, alpha: vec2<f32>) -> vec2<f32> {
  var squares = vec2<f32>(0.0, 0.0);
  var own = squares;
  for (var j = 0u; j < p.dim; j++) {
    let v = table[y * p.dim + j];
    squares = add_square(squares, two_sum(table[u * p.dim + j], -v));
    own = add_square(own, p_of(v));
  }
  let difference = normalised(squares);
  let beta = inside(own);
  let product = p_mul(alpha, beta);
  let t = p_div(difference, product);
  let q = p_sqrt(p_add(p_square(t), t));
  var c = vec2<f32>(0.0, 0.0);
  if (q.x > 0.0) { c = p_div(p_of(2.0), p_mul(product, q)); }
  let exponent = -p_mul(vec2<f32>(p.scale, p.scale_low), p_log1p(2.0 * p_add(t, q)));
  coefficients[2u * at] = vec4<f32>(exponent, c);
  coefficients[2u * at + 1u] = vec4<f32>(p_add_f(p_div(difference, beta), 1.0),
                                         p_add_f(p_div(difference, alpha), 1.0));
  return exponent;
}

struct Share {
  loss: vec2<f32>,   // log((e + S)/e)
  part: vec2<f32>,   // S/(e + S)
  inverse: vec2<f32>,  // 1/(e + S)
}

// Of a positive of weight e = e^x against the negatives' sum S.
fn share_of(x: vec2<f32>, sum: vec2<f32>) -> Share {
  if (x.x > 0.0) {
    let e = exp_below(-x);
    let ratio = p_mul(sum, e);
    let whole = p_add_f(ratio, 1.0);
    return Share(p_log1p(ratio), p_div(ratio, whole), p_div(e, whole));
  }
  let whole = p_add(exp_below(x), sum);
  return Share(p_sub(p_log1p(p_add_f(whole, -1.0)), x), p_div(sum, whole),
               p_div(p_of(1.0), whole));
}

// Turns exponents into weights and coefficients; returns u's coefficient of u.
fn weigh(lid: u32, at: u32, positives: u32, count: u32, top: f32, loss_at: u32) -> vec2<f32> {
  let scale = vec2<f32>(p.scale, p.scale_low);
  let none = vec2<f32>(0.0, 0.0);
  let shift = workgroup_top(lid, top);
  var part = none;
  for (var i = lid; i < count; i += WG) {
    if (i < positives) { continue; }
    let e = exp_below(p_add_f(coefficients[2u * (at + i)].xy, -shift));
    coefficients[2u * (at + i)] = vec4<f32>(e, coefficients[2u * (at + i)].zw);
    part = p_add(part, e);
  }
  let sum = workgroup_sum(lid, part);
  var loss = none;
  part = none;
  for (var i = lid; i < positives; i += WG) {
    if (count == positives) { break; }  // linked to all others: nothing to tell apart
    let share = share_of(p_add_f(coefficients[2u * (at + i)].xy, -shift), sum);
    loss = p_add(loss, share.loss);
    part = p_add(part, share.inverse);
    let base = coefficients[2u * (at + i)].zw;
    coefficients[2u * (at + i)] = vec4<f32>(p_mul(scale, share.part), base);
  }
  loss = workgroup_sum(lid, loss);
  if (lid == 0u) { losses[loss_at] = loss; }
  let shared_part = p_mul(scale, workgroup_sum(lid, part));
  part = none;
  for (var i = lid; i < count; i += WG) {
    let weight = coefficients[2u * (at + i)];
    let factors = coefficients[2u * (at + i) + 1u];
    var c = none;
    if (count != positives) {
      c = p_mul(weight.xy, weight.zw);
      if (i >= positives) { c = -p_mul(c, shared_part); }
    }
    part = p_add(part, p_mul(c, factors.zw));
    coefficients[2u * (at + i)] = vec4<f32>(p_mul(c, factors.xy), -c);
  }
  return workgroup_sum(lid, part);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let item = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (item >= p.items) { return; }
  pair_zero = p.zero;
  let drawn = p.drawn + item;
  let u = heads[3u * drawn];
  let positives = heads[3u * drawn + 1u];
  let count = heads[3u * drawn + 2u];
  var norm = vec2<f32>(0.0, 0.0);
  for (var j = 0u; j < p.dim; j++) { norm = add_square(norm, p_of(table[u * p.dim + j])); }
  let alpha = inside(norm);
  var top = -1.0e38;
  for (var i = lid; i < count; i += WG) {
    let exponent = start_slot(item * p.slots + i, u, rows[drawn * p.slots + i], alpha);
    if (i >= positives) { top = max(top, exponent.x); }
  }
  let own = weigh(lid, item * p.slots, positives, count, top, p.first + item);
  storageBarrier();
  // ∂/∂u = Σ c((1 + |u-y|²/α)u - y), coordinates across and candidates down.
  for (var first = 0u; first < p.dim; first += ACROSS) {
    let j = first + lid % ACROSS;
    var sum = vec2<f32>(0.0, 0.0);
    if (j < p.dim) {
      for (var i = lid / ACROSS; i < count; i += GROUPS) {
        let y = table[rows[drawn * p.slots + i] * p.dim + j];
        sum = p_add(sum, p_mul_f(coefficients[2u * (item * p.slots + i)].zw, y));
      }
    }
    shared_sums[lid] = sum;
    workgroupBarrier();
    for (var w = WG / 2u; w >= ACROSS; w /= 2u) {
      if (lid < w) { shared_sums[lid] = p_add(shared_sums[lid], shared_sums[lid + w]); }
      workgroupBarrier();
    }
    if (lid < ACROSS && j < p.dim) {
      let x = table[u * p.dim + j];
      points[item * p.dim + j] = x;
      gradients[item * p.dim + j] = p_add(p_mul_f(own, x), shared_sums[lid]);
    }
    workgroupBarrier();
  }
}
