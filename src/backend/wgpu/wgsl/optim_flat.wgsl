// Elementwise optimiser steps. Needs optim_params.wgsl. A lazy step gives a row LANES threads, which
// look for an entry that is not zero first.
fn direction(at: u32, h: f32) -> f32 {
  if (ADAM == 0u) {
    if (WITH_M == 0u) { return h; }
    let m = p.beta1 * bitcast<f32>(first[at]) + h;
    first[at] = bitcast<u32>(m);
    if (NESTEROV != 0u) { return h + p.beta1 * m; }
    return m;
  }
  let m = p.beta1 * bitcast<f32>(first[at]) + p.rest1 * h;
  var u = p.beta2 * second[at] + (p.rest2 * h) * h;
  first[at] = bitcast<u32>(m);
  second[at] = u;
  if (AMSGRAD != 0u) {
    u = max(u, most[at]);
    most[at] = u;
  }
  return (m * p.inverse1) / (sqrt(u * p.inverse2) + p.eps);
}

fn step_entry(source: u32, at: u32) {
  let bits = w[at];
  var x = bitcast<f32>(bits);
  var h = bitcast<f32>(g[source]);
  if (DECOUPLED != 0u) { x = p.keep * x; } else { h = h + p.decay * x; }
  let d = direction(at, h);
  var next = bitcast<u32>(x - p.rate * d);
  if (d == 0.0) { next = bitcast<u32>(x); }
  if (d == 0.0 && DECOUPLED == 0u) { next = bits; }
  w[at] = next;
}

var<workgroup> touched: array<u32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  if (LAZY == 0u) {
    let i = group * WG + tid;
    if (i >= p.rows * p.cols) { return; }
    step_entry(i, target_of(i / p.cols) * p.cols + i % p.cols);
    return;
  }
  let row = group * (WG / LANES) + tid / LANES;
  let valid = row < p.rows;
  var bits = 0u;
  if (valid) {
    for (var j = tid % LANES; j < p.cols; j += LANES) { bits |= g[row * p.cols + j] << 1u; }
  }
  touched[tid] = bits;
  workgroupBarrier();
  bits = 0u;
  for (var k = 0u; k < LANES; k += 1u) { bits |= touched[tid / LANES * LANES + k]; }
  if (!valid || bits == 0u) { return; }
  let base = target_of(row) * p.cols;
  for (var j = tid % LANES; j < p.cols; j += LANES) { step_entry(row * p.cols + j, base + j); }
}
