// Four neighbours of an operand, one by one. Zeros outside.
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

fn load_a(i: u32, j: u32) -> vec4<f32> {
  var out = vec4<f32>();
  if (i < p.a_rows) {
    for (var k = 0u; k < 4u; k++) {
      if (j + k < p.a_cols) {
        out[k] = a[i * p.a_cols + j + k];
      }
    }
  }
  return out;
}
fn load_b(i: u32, j: u32) -> vec4<f32> {
  var out = vec4<f32>();
  if (i < p.b_rows) {
    for (var k = 0u; k < 4u; k++) {
      if (j + k < p.b_cols) {
        out[k] = b[i * p.b_cols + j + k];
      }
    }
  }
  return out;
}
fn store(i: u32, j: u32, value: vec4<f32>) {
  if (i >= p.m) {
    return;
  }
  for (var k = 0u; k < 4u; k++) {
    if (j + k < p.n) {
      let at = i * p.n + j + k;
      if (ACCUMULATE == 1u) {
        c[at] = c[at] + value[k];
      } else {
        c[at] = value[k];
      }
    }
  }
}
