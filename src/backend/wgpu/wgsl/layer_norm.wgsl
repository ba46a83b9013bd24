// A workgroup a row: moments in two passes, then y = x̂⊙w + b (GRAD 0), or the gradient by x and
// g⊙x̂, whose column sums are that by w (GRAD 1). Absent w and b are bound as x.
struct Params {
  rows: u32,
  cols: u32,
  eps: f32,
  has_w: u32,
  has_b: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> g: array<f32>;  // GRAD 0: b
@group(0) @binding(3) var<storage, read_write> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;  // GRAD 1: the gradient by x
@group(0) @binding(5) var<storage, read_write> products: array<f32>;

var<workgroup> parts: array<vec2<f32>, WG>;

fn total(lid: u32, v: vec2<f32>) -> vec2<f32> {
  parts[lid] = v;
  workgroupBarrier();
  for (var half = u32(WG) / 2u; half > 0u; half /= 2u) {
    if (lid < half) {
      parts[lid] += parts[lid + half];
    }
    workgroupBarrier();
  }
  let sum = parts[0];
  workgroupBarrier();
  return sum;
}

fn weight(j: u32) -> f32 {
  return select(1.0, w[j], p.has_w != 0u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let row = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (row >= p.rows) { return; }
  let first = row * p.cols;
  let count = f32(p.cols);
  var sum = vec2<f32>();
  for (var j = lid; j < p.cols; j += u32(WG)) { sum.x += x[first + j]; }
  let mean = total(lid, sum).x / count;
  sum = vec2<f32>();
  for (var j = lid; j < p.cols; j += u32(WG)) {
    let d = x[first + j] - mean;
    sum += vec2<f32>(d * d, d);
  }
  let around = total(lid, sum);
  let rest = around.y / count;  // what the mean's rounding left
  let inverse = 1.0 / sqrt(around.x / count - rest * rest + p.eps);
  let middle = mean + rest;
  if (GRAD == 0) {
    for (var j = lid; j < p.cols; j += u32(WG)) {
      let unit = (x[first + j] - middle) * inverse;
      y[first + j] = unit * weight(j) + select(0.0, g[j], p.has_b != 0u);
    }
    return;
  }
  sum = vec2<f32>();
  for (var j = lid; j < p.cols; j += u32(WG)) {
    let h = g[first + j] * weight(j);
    sum += vec2<f32>(h, h * ((x[first + j] - middle) * inverse));
  }
  let means = total(lid, sum) / count;
  for (var j = lid; j < p.cols; j += u32(WG)) {
    let unit = (x[first + j] - middle) * inverse;
    let h = g[first + j] * weight(j);
    y[first + j] = (h - means.x - unit * means.y) * inverse;
    products[first + j] = g[first + j] * unit;
  }
}
