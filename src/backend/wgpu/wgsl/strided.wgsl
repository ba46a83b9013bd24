// Moves a matrix between two strided places, words as they are; steps wrap, so they may be
// negative. Its `cols` columns are walked without a division: WG = skip_rows * cols + skip_cols.
struct Params {
  count: u32, cols: u32, skip_rows: u32, skip_cols: u32, blocks: u32,
  from_first: u32, from_row: u32, from_col: u32,
  to_first: u32, to_row: u32, to_col: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let first = block * (WG * EACH) + lid;
  var i = first / p.cols;
  var j = first - i * p.cols;
  for (var k = 0u; k < EACH; k++) {
    if (first + k * WG < p.count) {
      result[p.to_first + i * p.to_row + j * p.to_col] =
          source[p.from_first + i * p.from_row + j * p.from_col];
    }
    i += p.skip_rows;
    j += p.skip_cols;
    if (j >= p.cols) {
      j -= p.cols;
      i += 1u;
    }
  }
}
