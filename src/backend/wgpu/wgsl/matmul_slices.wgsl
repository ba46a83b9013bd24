// Slices of 16 along the inner length, in workgroup memory; TILE rows of a and columns of b. TRANS_A,
// TRANS_B: whether an operand is stored transposed.
const Q: u32 = TILE / 4u;
const BK: u32 = 16u;
var<workgroup> slice_a: array<vec4<f32>, 16u * Q>;  // [k][row / 4]
var<workgroup> slice_b: array<vec4<f32>, 16u * Q>;  // [k][column / 4]

fn fetch_a(at: u32, row0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_A == 1u) {
    return load_a(k0 + at / Q, row0 + at % Q * 4u);
  }
  return load_a(row0 + at / 4u, k0 + at % 4u * 4u);
}
fn fetch_b(at: u32, col0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_B == 0u) {
    return load_b(k0 + at / Q, col0 + at % Q * 4u);
  }
  return load_b(col0 + at / 4u, k0 + at % 4u * 4u);
}
fn keep_a(at: u32, x: vec4<f32>) {
  if (TRANS_A == 1u) {
    slice_a[at] = x;
    return;
  }
  let row = at / 4u;
  let first = at % 4u * (4u * Q) + row / 4u;
  slice_a[first][row % 4u] = x.x;
  slice_a[first + Q][row % 4u] = x.y;
  slice_a[first + (2u * Q)][row % 4u] = x.z;
  slice_a[first + (3u * Q)][row % 4u] = x.w;
}
fn keep_b(at: u32, x: vec4<f32>) {
  if (TRANS_B == 0u) {
    slice_b[at] = x;
    return;
  }
  let col = at / 4u;
  let first = at % 4u * (4u * Q) + col / 4u;
  slice_b[first][col % 4u] = x.x;
  slice_b[first + Q][col % 4u] = x.y;
  slice_b[first + (2u * Q)][col % 4u] = x.z;
  slice_b[first + (3u * Q)][col % 4u] = x.w;
}
