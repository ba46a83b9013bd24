// The least flat index of each group's elements equal to y (both NaN counts).
@group(0) @binding(1) var<storage, read_write> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> first: array<atomic<u32>>;

fn same(a: u32, b: u32) -> bool {
  let m = a & 0x7FFFFFFFu;
  let n = b & 0x7FFFFFFFu;
  if (m > 0x7F800000u) { return n > 0x7F800000u; }
  return a == b || (m | n) == 0u;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i >= p.count) { return; }
    let group = group_of(i);
    if (same(x[i], y[group]) && i < atomicLoad(&first[group])) { atomicMin(&first[group], i); }
  }
}
