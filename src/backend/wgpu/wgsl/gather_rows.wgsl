// Row i of the result is row rows[i * STRIDE] of x, units of one or four words as they are. The
// `cols` units of a row are walked without a division: WG = skip_rows * cols + skip_cols.
struct Params { count: u32, cols: u32, skip_rows: u32, skip_cols: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<Unit>;
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;
@group(0) @binding(3) var<storage, read_write> result: array<Unit>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let first = block * (WG * EACH) + lid;
  var i = first / p.cols;
  var j = first - i * p.cols;
  for (var k = 0u; k < EACH; k++) {
    let at = first + k * WG;
    if (at < p.count) {
      result[at] = x[rows[i * STRIDE] * p.cols + j];
    }
    i += p.skip_rows;
    j += p.skip_cols;
    if (j >= p.cols) {
      j -= p.cols;
      i += 1u;
    }
  }
}
