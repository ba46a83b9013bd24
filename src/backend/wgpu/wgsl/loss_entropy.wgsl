// Terms −t·log softmax and gradients softmax·Σt − t, each over the number of rows, from log softmax
// and the targets' sums; a target of one column names a class. NaN where a target is neither a class
// nor probabilities.
struct Params {
  count: u32,
  blocks: u32,
  cols: u32,
  goal_cols: u32,
  scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> logs: array<f32>;
@group(0) @binding(2) var<storage, read_write> goal: array<f32>;
@group(0) @binding(3) var<storage, read_write> mass: array<f32>;
@group(0) @binding(4) var<storage, read_write> terms: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;

// Target and its row's sum, NaN where they do not fit.
fn target_at(row: u32, col: u32) -> vec2<f32> {
  if (p.goal_cols == 1u) {
    let k = goal[row];
    if (is_nan(k) || k < 0.0 || k >= f32(p.cols) || k != floor(k)) {
      return vec2<f32>(nan_value(), nan_value());
    }
    return vec2<f32>(select(0.0, 1.0, u32(k) == col), 1.0);
  }
  let t = goal[row * p.cols + col];
  let sum = mass[row];
  if (is_nan(t) || t < 0.0 || is_nan(sum) || abs(sum - 1.0) > 1.0e-4) {
    return vec2<f32>(nan_value(), nan_value());
  }
  return vec2<f32>(t, sum);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i < p.count) {
      let t = target_at(i / p.cols, i % p.cols);
      let l = logs[i];
      // Without mass a term is 0, whatever the logarithm; a NaN of the row stays.
      let free = !is_nan(t.x) && t.x == 0.0 && !is_nan(l);
      terms[i] = select(-t.x * l * p.scale, 0.0, free);
      gradient[i] = (st_exp(l) * t.y - t.x) * p.scale;
    }
  }
}
