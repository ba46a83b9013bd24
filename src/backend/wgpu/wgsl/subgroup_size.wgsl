@group(0) @binding(1) var<storage, read_write> size: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(subgroup_size) subgroup: u32, @builtin(local_invocation_index) lane: u32) {
  if (lane == 0u) {
    size[0] = subgroup;
  }
}
