// Gradients by rows x from the sums of ball_sum.wgsl's OP_DIST. Constant WG. Needs pair.wgsl.

struct Params {
  rows: u32,
  cols: u32,
  first: u32,  // row of x that the first sums belong to
  shift: i32,
  scale: f32,
  scale_low: f32,
  zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

// Power of two taken from the large entries of row i, as in ball_rows.wgsl.
fn excess_of(i: u32) -> i32 {
  var top = 0u;
  for (var j = 0u; j < p.cols; j = j + 1u) {
    top = max(top, bitcast<u32>(x[i * p.cols + j]) & 0x7fffffffu);
  }
  return max(0, i32(top >> 23u) - 157 + p.shift);
}

// Entry j of row i, scaled, inside the ball.
fn entry(i: u32, j: u32, factor: vec2<f32>, power: i32) -> vec2<f32> {
  return p_mul_f(factor, p_power_of_two(p.shift - power) * x[i * p.cols + j]);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let at = (wid.x + wid.y * num.x + wid.z * num.x * num.y) * WG + tid;
  if (at >= p.rows * p.cols) { return; }
  pair_zero = p.zero;
  let i = p.first + at / p.cols;
  let j = at % p.cols;
  let first = (at / p.cols) * (p.cols + 4u);
  let on_a = sums[first + p.cols];
  let factor = sums[first + p.cols + 1u];
  if (sums[first + p.cols + 3u].x != 0.0) {
    out[i * p.cols + j] = 0x7fc00000u;
    return;
  }
  let inside = factor.x == 1.0 && factor.y == 0.0;
  var power = 0;
  if (!inside) { power = excess_of(i); }
  var value = p_add(p_mul(on_a, entry(i, j, factor, power)), sums[first + j]);
  if (!inside) {  // along the row the clamp has no derivative
    var along = vec2<f32>(0.0, 0.0);
    var squares = along;
    for (var k = 0u; k < p.cols; k = k + 1u) {
      let a = entry(i, k, factor, power);
      along = p_add(along, p_mul(a, sums[first + k]));
      squares = p_add(squares, p_square(a));
    }
    along = p_div(along, squares);
    value = p_sub(sums[first + j], p_mul(along, entry(i, j, factor, power)));
    value = p_mul(factor, value);
  }
  value = p_mul(value, vec2<f32>(p.scale, p.scale_low));
  out[i * p.cols + j] = bitcast<u32>(scale_by_power(value.x, -power));
}
