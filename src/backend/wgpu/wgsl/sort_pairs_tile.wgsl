// Steps within tiles of TILE pairs: of runs of p.first to p.last pairs, doubling, each from the
// largest stride that stays in the tile. Constants: WG, TILE.
var<workgroup> tile: array<vec2<u32>, TILE>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  let base = group * TILE;
  for (var i = lid; i < TILE; i += WG) { tile[i] = pairs[base + i]; }
  for (var run = p.first; run <= p.last; run *= 2u) {
    for (var stride = min(run, TILE) / 2u; stride > 0u; stride /= 2u) {
      workgroupBarrier();
      for (var i = lid; i < TILE / 2u; i += WG) {
        let low = lower_of(i, stride);
        let a = tile[low];
        let b = tile[low + stride];
        let rises = ((base + low) & p.mask & run) == 0u;
        if (is_after(a, b) == rises && any(a != b)) {
          tile[low] = b;
          tile[low + stride] = a;
        }
      }
    }
  }
  workgroupBarrier();
  for (var i = lid; i < TILE; i += WG) { pairs[base + i] = tile[i]; }
}
