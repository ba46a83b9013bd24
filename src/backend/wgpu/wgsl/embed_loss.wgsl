// The sum of the items' losses as a float64, by one workgroup.

struct Params {
  items: u32,
  zero: u32,  // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> losses: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

var<workgroup> sums: array<vec2<f32>, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lid: u32) {
  pair_zero = p.zero;
  var sum = vec2<f32>(0.0, 0.0);
  for (var i = lid; i < p.items; i += WG) { sum = p_add(sum, losses[i]); }
  sums[lid] = sum;
  workgroupBarrier();
  for (var w = WG / 2u; w > 0u; w /= 2u) {
    if (lid < w) { sums[lid] = p_add(sums[lid], sums[lid + w]); }
    workgroupBarrier();
  }
  if (lid == 0u) { out[0] = f64_bits(sums[0].x, sums[0].y); }
}
