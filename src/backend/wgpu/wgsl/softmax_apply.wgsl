// The results of a piece of a long row.
@group(0) @binding(OUT_AT + 1u) var<storage, read_write> whole: array<Stats>;

fn apply(at: Place, slot: u32, row: Row) {
  let x = load(at, slot);
  store(at, slot, finish(exponentials(x, row.top, slot), x, load_g(at, slot), row));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let at = place_of(block, lid);
  let stats = whole[at.row];
  let row = row_of(stats.top, vec2<f32>(stats.high, stats.low));
  apply(at, 0u, row);
  apply(at, 1u, row);
  apply(at, 2u, row);
  apply(at, 3u, row);
}
