// Each element times the weight of its band; a band of weight 0 is +0.
struct Params { count: u32, blocks: u32, above: f32, here: f32, beneath: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> bands: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var k = 0u; k < EACH; k++) {
    let i = block * (WG * EACH) + k * WG + lid;
    if (i >= p.count) { return; }
    var weight = p.here;
    if (bands[i] == 0u) { weight = p.above; }
    if (bands[i] == 2u) { weight = p.beneath; }
    if (weight == 0.0) { out[i] = 0.0; } else { out[i] = g[i] * weight; }
  }
}
