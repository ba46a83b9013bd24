// c (m,n) = op(a)·op(b), inner length k. Comes before matmul_load or matmul_load4.
struct Params {
  m: u32,
  n: u32,
  k: u32,
  a_rows: u32,
  a_cols: u32,
  b_rows: u32,
  b_cols: u32,
  tiles_n: u32,
  tiles: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
