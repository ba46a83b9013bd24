// An optimiser's rule. Constants: WG, LANES (threads a row), FLAGS.
const ADAM: u32 = FLAGS & 1u;
const NESTEROV: u32 = FLAGS & 2u;
const DECOUPLED: u32 = FLAGS & 4u;  // decay of the weights themselves
const LAZY: u32 = FLAGS & 8u;
const LISTED: u32 = FLAGS & 16u;
const WITH_M: u32 = FLAGS & 32u;
const AMSGRAD: u32 = FLAGS & 64u;

struct Params {
  rows: u32,  // of g
  cols: u32,
  groups: u32,
  zero: u32,    // 0
  shift: i32,   // points of a ball are scaled by 2^shift, for κ in [1, 4)
  kappa: f32,
  kappa_low: f32,
  rate: f32,
  decay: f32,
  beta1: f32,   // SGD's momentum
  rest1: f32,   // 1 - beta1
  beta2: f32,
  rest2: f32,
  eps: f32,
  inverse1: f32,  // 1/(1 - beta1^t)
  inverse2: f32,
  keep: f32,      // 1 - rate·decay
  keep_low: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> g: array<u32>;
@group(0) @binding(2) var<storage, read_write> list: array<u32>;
@group(0) @binding(3) var<storage, read_write> w: array<u32>;
@group(0) @binding(4) var<storage, read_write> first: array<u32>;
@group(0) @binding(5) var<storage, read_write> second: array<f32>;
@group(0) @binding(6) var<storage, read_write> most: array<f32>;

// Row i of g belongs to this row of the weights.
fn target_of(i: u32) -> u32 {
  if (LISTED != 0u) { return list[i]; }
  return i;
}
