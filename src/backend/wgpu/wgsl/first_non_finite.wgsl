// The least flat index of an element whose magnitude bits exceed `limit`; found begins as -1. Each thread
// looks at four elements a step.
struct Params { count: u32, limit: u32, blocks: u32, stride: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> found: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var i = block * WG + lid; 4u * i < p.count; i += p.stride) {
    let bad = (x[i] & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(p.limit);
    if (any(bad)) {
      let at = 4u * i + select(select(select(3u, 2u, bad.z), 1u, bad.y), 0u, bad.x);
      if (at >= p.count) { return; }  // what lies behind the last element
      atomicMin(&found[0], at);
      atomicStore(&found[1], 0u);
      return;
    }
  }
}
