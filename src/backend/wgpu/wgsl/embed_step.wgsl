// One exponential map a row of the table that a batch has gradients for: x <- exp_x(-rate·α²/4·g),
// clamped to the ball. LANES threads a row sum its gradients in the order of slots: from the
// batch's pairs (row, slot), sorted. Constants: WG, LANES, EACH.

struct Params {
  groups: u32,
  count: u32,       // pairs, padded
  first: u32,       // pair of the batch
  segments_at: u32, // number of the batch's rows, then where each one's pairs begin
  dim: u32,
  slots: u32,
  rate: f32,        // rate = (rate + rate_low)·2^rate_power
  rate_low: f32,
  rate_power: i32,
  ball_max: f32,
  ball_max_low: f32,
  zero: u32,        // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> pairs: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> coefficients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> points: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradients: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> segments: array<u32>;

const NO_ROW: u32 = 0xFFFFFFFFu;
var<workgroup> shared_sums: array<vec2<f32>, WG>;
var<workgroup> shared_rows: u32;
var<private> sums: array<vec2<f32>, EACH>;  // a thread's coordinates of the gradient
var<private> here: array<f32, EACH>;        // and of the row

fn team_sum(lid: u32, value: vec2<f32>) -> vec2<f32> {
  shared_sums[lid] = value;
  workgroupBarrier();
  for (var w = LANES / 2u; w > 0u; w /= 2u) {
    if (lid % LANES < w) { shared_sums[lid] = p_add(shared_sums[lid], shared_sums[lid + w]); }
    workgroupBarrier();
  }
  let sum = shared_sums[lid - lid % LANES];
  workgroupBarrier();
  return sum;
}

fn team_top(lid: u32, value: f32) -> f32 {
  shared_sums[lid] = vec2<f32>(value, 0.0);
  workgroupBarrier();
  for (var w = LANES / 2u; w > 0u; w /= 2u) {
    if (lid % LANES < w) { shared_sums[lid].x = max(shared_sums[lid].x, shared_sums[lid + w].x); }
    workgroupBarrier();
  }
  let top = shared_sums[lid - lid % LANES].x;
  workgroupBarrier();
  return top;
}

// The row's gradient, in the lane's coordinates; returns the largest of them.
fn collect(start: u32, row: u32, lane: u32) -> f32 {
  var on_row = vec2<f32>(0.0, 0.0);
  for (var k = start; k < p.count; k++) {
    let pair = pairs[p.first + k];
    if (pair.x != row) { break; }
    let item = pair.y / (p.slots + 1u);
    let slot = pair.y % (p.slots + 1u);
    let is_own = slot == p.slots;
    var c = vec4<f32>(0.0, 0.0, 0.0, 0.0);
    if (!is_own) { c = coefficients[2u * (item * p.slots + slot)]; }
    on_row = p_add(on_row, c.xy);
    for (var e = 0u; e < EACH; e++) {
      let j = e * LANES + lane;
      if (j >= p.dim) { break; }
      if (is_own) {
        sums[e] = p_add(sums[e], gradients[item * p.dim + j]);
      } else {
        sums[e] = p_add(sums[e], p_mul_f(c.zw, points[item * p.dim + j]));
      }
    }
  }
  var top = 0.0;
  for (var e = 0u; e < EACH; e++) {
    let j = e * LANES + lane;
    if (j >= p.dim) { break; }
    here[e] = table[row * p.dim + j];
    sums[e] = p_add(sums[e], p_mul_f(on_row, here[e]));
    top = max(top, abs(sums[e].x));
  }
  return top;
}

struct Map {
  on_x: vec2<f32>,
  on_g: vec2<f32>,
}

// From |x|², |g|², ⟨x, g⟩ of the gradient divided by 2^power.
fn map_of(xx: vec2<f32>, gg: vec2<f32>, xg: vec2<f32>, power: i32) -> Map {
  let alpha = p_add_f(-xx, 1.0);
  let root = p_sqrt(gg);
  // Below 1, so that a step across the whole ball keeps the denominator above 0.
  var t = vec2<f32>(1.0, -0x1p-40);
  let exponent = power + p.rate_power;
  if (exponent < 60) {
    let length = p_mul(p_mul(vec2<f32>(p.rate, p.rate_low), 0.25 * alpha), root);
    let short = p_power_of_two(max(exponent, -100)) * length;
    if (short.x < 20.0) { t = p_tanh(short); }
    if (p_less(vec2<f32>(1.0, -0x1p-40), t)) { t = vec2<f32>(1.0, -0x1p-40); }
  }
  let k = -p_div(t, root);
  let yy = p_square(t);
  var ss = p_add(p_add(xx, 2.0 * p_mul(k, xg)), yy);
  if (ss.x < 0.0) { ss = vec2<f32>(0.0, 0.0); }
  let d = p_add(ss, p_mul(alpha, p_add_f(-yy, 1.0)));
  return Map(p_div(p_add(ss, alpha), d), p_div(p_mul(alpha, k), d));
}

fn mapped(map: Map, e: u32) -> vec2<f32> {
  return p_add(p_mul_f(map.on_x, here[e]), p_mul(map.on_g, sums[e]));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  pair_zero = p.zero;
  if (lid == 0u) { shared_rows = segments[p.segments_at]; }
  let rows = workgroupUniformLoad(&shared_rows);
  if (group * (WG / LANES) >= rows) { return; }
  let lane = lid % LANES;
  let segment = group * (WG / LANES) + lid / LANES;
  var row = NO_ROW;
  var top = 0.0;
  if (segment < rows) {
    let start = segments[p.segments_at + 1u + segment];
    row = pairs[p.first + start].x;
    top = collect(start, row, lane);
  }
  top = team_top(lid, top);
  let power = i32((bitcast<u32>(top) >> 23u) & 0xFFu) - 127;
  let none = vec2<f32>(0.0, 0.0);
  var xx = none;
  var gg = none;
  var xg = none;
  for (var e = 0u; e < EACH; e++) {  // 0 where there is no row, and beyond the last coordinate
    sums[e] = p_power_of_two(-power) * sums[e];
    xx = p_add(xx, two_prod(here[e], here[e]));
    gg = p_add(gg, p_square(sums[e]));
    xg = p_add(xg, p_mul_f(sums[e], here[e]));
  }
  xx = team_sum(lid, xx);
  gg = team_sum(lid, gg);
  xg = team_sum(lid, xg);
  let steps = row != NO_ROW && gg.x > 0.0;
  var map = Map(none, none);
  var squares = none;
  if (steps) {
    map = map_of(xx, gg, xg, power);
    for (var e = 0u; e < EACH; e++) { squares = p_add(squares, p_square(mapped(map, e))); }
  }
  let norm = p_sqrt(team_sum(lid, squares));
  if (!steps) { return; }
  let limit = vec2<f32>(p.ball_max, p.ball_max_low);
  var shrink = p_of(1.0);
  if (p_less(limit, norm)) { shrink = p_div(limit, norm); }
  for (var e = 0u; e < EACH; e++) {
    let j = e * LANES + lane;
    if (j < p.dim) { table[row * p.dim + j] = p_mul(shrink, mapped(map, e)).x; }
  }
}
