// Logits from products of the rows of the hyperboloid with the unit normals.
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;
@group(0) @binding(3) var<storage, read_write> lengths: array<f32>;
@group(0) @binding(4) var<storage, read_write> offsets: array<f32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = block_of(wid, num);
  if (block >= p.blocks) { return; }
  let i = block * WG + lid;
  if (i >= p.count) { return; }
  pair_zero = p.zero;
  let c = i % p.classes;
  let t = p.root * rows[(i / p.classes) * p.width];
  let terms = terms_of(p.root * products[i], t, 2.0 * p.root * offsets[c]);
  logits[i] = 2.0 * terms.value * st_div(lengths[c], p.root);
}
