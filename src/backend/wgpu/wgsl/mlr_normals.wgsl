// Gradients by normals: across them the products, but for their row of times, and along them.
@group(0) @binding(1) var<storage, read_write> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> units: array<f32>;
@group(0) @binding(3) var<storage, read_write> along: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_normals: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = block_of(wid, num);
  if (block >= p.blocks) { return; }
  let i = block * WG + lid;
  if (i >= p.count) { return; }
  let at = i + p.classes;
  by_normals[i] = fma(units[at], along[i % p.classes], products[at]);
}
