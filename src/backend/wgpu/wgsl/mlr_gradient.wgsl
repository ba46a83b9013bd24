// Gradients by what a logit is made of, an element each, which are summed and multiplied after this.
// OF_ROWS: by the row's product with the unit normal, and by its time. Else: by the class's row of
// products, along its normal, and by its offset.
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;
@group(0) @binding(3) var<storage, read_write> lengths: array<f32>;
@group(0) @binding(4) var<storage, read_write> offsets: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> by_product: array<f32>;
@group(0) @binding(7) var<storage, read_write> by_time: array<f32>;  // or along the normal
@group(0) @binding(8) var<storage, read_write> by_offset: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = block_of(wid, num);
  if (block >= p.blocks) { return; }
  let i = block * WG + lid;
  if (i >= p.count) { return; }
  pair_zero = p.zero;
  let c = i % p.classes;
  let a = p.root * products[i];
  let terms = terms_of(a, p.root * rows[(i / p.classes) * p.width], 2.0 * p.root * offsets[c]);
  let g = gradient[i];
  let length = lengths[c];
  if (OF_ROWS != 0u) {
    by_product[i] = 2.0 * g * length * terms.by_a;
    by_time[i] = -2.0 * g * length * terms.by_t;
    return;
  }
  // Without a normal nothing depends on its direction.
  let turning = select(1.0, 0.0, length == 0.0);
  by_product[i] = 2.0 * g * turning * terms.by_a;
  by_time[i] = 2.0 * g * turning * st_div(terms.value - terms.by_a * a, p.root);
  by_offset[i] = 4.0 * g * length * terms.by_s;
}
