// One step of a merge: comparisons of pairs `run` places apart, or mirrored (flip = 1).
struct Params { count: u32, comparisons: u32, run: u32, flip: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2<u32>>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = block * (WG * EACH) + lid; k < (block + 1u) * (WG * EACH); k += WG) {
    if (k >= p.comparisons) { return; }
    let a = lower_place(k, p.run);
    let b = partner(a, p.run, p.flip == 1u);
    if (b < p.count) {
      let low = pairs[a];
      let high = pairs[b];
      if (is_before(high, low)) {
        pairs[a] = high;
        pairs[b] = low;
      }
    }
  }
}
