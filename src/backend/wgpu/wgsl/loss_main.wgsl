// A loss of elements: `evaluate`, which comes before this, gives term and slope of one.
struct Params {
  count: u32,
  blocks: u32,
  scale: f32,  // 1/count
  checked: u32,
  s0: f32,
  s1: f32,
  s2: f32,
  s3: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> prediction: array<f32>;
@group(0) @binding(2) var<storage, read_write> goal: array<f32>;
@group(0) @binding(3) var<storage, read_write> terms: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i < p.count) {
      let e = evaluate(prediction[i], goal[i]);
      terms[i] = e.x * p.scale;
      gradient[i] = e.y * p.scale;
    }
  }
}
