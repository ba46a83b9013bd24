// One step between tiles. Constants: WG.
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  let i = group * WG + lid;
  if (group >= p.groups || i >= p.count / 2u) { return; }
  let low = lower_of(i, p.stride);
  let a = pairs[low];
  let b = pairs[low + p.stride];
  let rises = (low & p.mask & p.first) == 0u;
  if (is_after(a, b) == rises && any(a != b)) {
    pairs[low] = b;
    pairs[low + p.stride] = a;
  }
}
