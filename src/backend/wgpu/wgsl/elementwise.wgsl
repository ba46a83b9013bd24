// out = combine(a, b), a and b through strides: a thread an element. `combine` comes before this.
struct Params {
  count: u32,
  cols: u32,
  a_row: u32,
  a_col: u32,
  b_row: u32,
  b_col: u32,
  c_row: u32,
  c_col: u32,
  p0: f32,
  p1: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  for (var k = 0u; k < 4u; k++) {
    let at = group * 1024u + k * 256u + lane;
    if (at < p.count) {
      let i = at / p.cols;
      let j = at - i * p.cols;
      result[at] = combine(a[i * p.a_row + j * p.a_col], b[i * p.b_row + j * p.b_col],
                           c[i * p.c_row + j * p.c_col], p.p0, p.p1);
    }
  }
}
