@group(0) @binding(1) var<storage, read_write> g: array<u32>;
@group(0) @binding(2) var<storage, read_write> first: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i >= p.count) { return; }
    let group = group_of(i);
    out[i] = select(0u, g[group], first[group] == i);
  }
}
