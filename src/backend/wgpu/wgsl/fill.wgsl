struct Params {
  count: u32,
  bits: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  for (var k = 0u; k < 4u; k++) {
    let at = group * 1024u + k * 256u + lane;
    if (at < p.count) {
      result[at] = p.bits;
    }
  }
}
