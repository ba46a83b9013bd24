// Where each row's pairs begin in a batch's sorted pairs: their number, then the places in any
// order. Constants: WG.

struct Params {
  groups: u32,
  count: u32,     // pairs of all batches
  block: u32,     // of a batch, padded
  most_rows: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> segments: array<atomic<u32>>;  // all 0

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  let i = group * WG + lid;
  if (group >= p.groups || i >= p.count) { return; }
  let row = pairs[i].x;
  let at = i % p.block;
  if (row == 0xFFFFFFFFu) { return; }
  if (at > 0u && pairs[i - 1u].x == row) { return; }
  let base = (i / p.block) * (p.most_rows + 1u);
  let place = atomicAdd(&segments[base], 1u);
  atomicStore(&segments[base + 1u + place], at);
}
