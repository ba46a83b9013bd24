// Products of columns of a (rows, cols) matrix: out(b, j, k) = Σ x(i, j)·x(i, k) over block b's
// rows. Constant WG. Needs pair.wgsl.

struct Params {
  rows: u32,
  cols: u32,
  blocks: u32,
  block_rows: u32,
  zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let at = (wid.x + wid.y * num.x + wid.z * num.x * num.y) * WG + tid;
  let size = p.cols * p.cols;
  if (at >= size * p.blocks) { return; }
  pair_zero = p.zero;
  let begin = (at / size) * p.block_rows;
  let j = (at % size) / p.cols;
  let k = at % p.cols;
  var sum = vec2<f32>(0.0, 0.0);
  for (var i = begin; i < min(begin + p.block_rows, p.rows); i = i + 1u) {
    let s = two_sum(sum.x, x[i * p.cols + j] * x[i * p.cols + k]);
    sum = vec2<f32>(s.x, sum.y + s.y);
  }
  out[at] = quick_sum(sum.x, sum.y);
}
