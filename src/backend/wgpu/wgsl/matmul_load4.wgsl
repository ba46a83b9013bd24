// Four neighbours of an operand in one load: all contiguous sides are multiples of 4. Zeros outside.
@group(0) @binding(1) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

fn load_a(i: u32, j: u32) -> vec4<f32> {
  if (i < p.a_rows && j < p.a_cols) {
    return a[(i * p.a_cols + j) / 4u];
  }
  return vec4<f32>();
}
fn load_b(i: u32, j: u32) -> vec4<f32> {
  if (i < p.b_rows && j < p.b_cols) {
    return b[(i * p.b_cols + j) / 4u];
  }
  return vec4<f32>();
}
fn store(i: u32, j: u32, value: vec4<f32>) {
  if (i < p.m && j < p.n) {
    let at = (i * p.n + j) / 4u;
    if (ACCUMULATE == 1u) {
      c[at] = c[at] + value;
    } else {
      c[at] = value;
    }
  }
}
