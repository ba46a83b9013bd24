// Normals of unit length beneath a row of zeros, which meets the time of a hyperboloid's row.
@group(0) @binding(1) var<storage, read_write> normals: array<f32>;
@group(0) @binding(2) var<storage, read_write> lengths: array<f32>;
@group(0) @binding(3) var<storage, read_write> units: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = block_of(wid, num);
  if (block >= p.blocks) { return; }
  let i = block * WG + lid;
  if (i >= p.count) { return; }
  if (i < p.classes) {
    units[i] = 0.0;
    return;
  }
  let length = lengths[i % p.classes];
  let z = normals[i - p.classes];
  if (length == 0.0) {
    units[i] = keep_nan(z, 0.0);
  } else {
    units[i] = st_div(z, length);
  }
}
