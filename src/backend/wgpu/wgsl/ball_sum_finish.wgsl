// Adds up blocks of pairs: out(i, j) = Σ_b in(i, b, j), in order. Constant WG. Needs pair.wgsl.

struct Params {
  count: u32,  // of results
  width: u32,
  blocks: u32,
  zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> blocks: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let at = (wid.x + wid.y * num.x + wid.z * num.x * num.y) * WG + tid;
  if (at >= p.count) { return; }
  pair_zero = p.zero;
  let first = (at / p.width) * p.blocks * p.width + at % p.width;
  var sum = vec2<f32>(0.0, 0.0);
  for (var b = 0u; b < p.blocks; b = b + 1u) { sum = p_add(sum, blocks[first + b * p.width]); }
  out[at] = sum;
}
