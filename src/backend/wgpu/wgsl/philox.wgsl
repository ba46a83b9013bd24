// Block b of the stream of philox_words.wgsl gives words 4b to 4b + 3, as uniforms on [0, 1).
struct Params {
  count: u32, blocks: u32, seed_low: u32, seed_high: u32, first_low: u32, first_high: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let b = block * WG + lid;
  let low = p.first_low + b;
  let high = p.first_high + u32(low < b);
  let words = philox(vec4<u32>(low, high, 0u, 0u), vec2<u32>(p.seed_low, p.seed_high));
  let u = vec4<f32>(words >> vec4<u32>(8u)) * 0x1p-24f;
  if (4u * b < p.count) { out[4u * b] = u.x; }
  if (4u * b + 1u < p.count) { out[4u * b + 1u] = u.y; }
  if (4u * b + 2u < p.count) { out[4u * b + 2u] = u.z; }
  if (4u * b + 3u < p.count) { out[4u * b + 3u] = u.w; }
}
