// Tiles of 32 x 32 through workgroup memory; the odd row length keeps columns in different banks.
struct Params { rows: u32, cols: u32, tiles_across: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

var<workgroup> tile: array<u32, 32u * 33u>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let row0 = block / p.tiles_across * 32u;
  let col0 = block % p.tiles_across * 32u;
  let across = lid % 32u;
  let down = lid / 32u;
  for (var k = down; k < 32u; k += 8u) {
    if (row0 + k < p.rows && col0 + across < p.cols) {
      tile[k * 33u + across] = x[(row0 + k) * p.cols + col0 + across];
    }
  }
  workgroupBarrier();
  for (var k = down; k < 32u; k += 8u) {
    if (col0 + k < p.cols && row0 + across < p.rows) {
      out[(col0 + k) * p.rows + row0 + across] = tile[across * 33u + k];
    }
  }
}
