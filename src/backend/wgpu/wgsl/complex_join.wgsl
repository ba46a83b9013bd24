struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> re: array<u32>;
@group(0) @binding(2) var<storage, read_write> im: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i < p.count) { out[i] = vec2<u32>(re[i], im[i]); }
  }
}
