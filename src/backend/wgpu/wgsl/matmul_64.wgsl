// A workgroup computes a tile of 64×64, each of its 16×16 threads 4×4 elements in registers that
// are named one by one: an array of them would be kept in memory. The next slices of the operands
// are loaded while the present ones are multiplied. Comes after matmul_slices.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.tiles) {
    return;
  }
  let row0 = group / p.tiles_n * 64u;
  let col0 = group % p.tiles_n * 64u;
  let tx = lane % 16u;
  let ty = lane / 16u;
  var c00 = vec4<f32>();
  var c10 = vec4<f32>();
  var c20 = vec4<f32>();
  var c30 = vec4<f32>();
  var next_a0 = fetch_a(lane, row0, 0u);
  var next_b0 = fetch_b(lane, col0, 0u);
  for (var k0 = 0u; k0 < p.k; k0 += BK) {
    workgroupBarrier();
    keep_a(lane, next_a0);
    keep_b(lane, next_b0);
    workgroupBarrier();
    if (k0 + BK < p.k) {
      next_a0 = fetch_a(lane, row0, k0 + BK);
      next_b0 = fetch_b(lane, col0, k0 + BK);
    }
    for (var k = 0u; k < BK; k++) {
      let a0 = slice_a[k * 16u + ty];
      let b0 = slice_b[k * 16u + tx];
      c00 = fma(a0.xxxx, b0, c00);
      c10 = fma(a0.yyyy, b0, c10);
      c20 = fma(a0.zzzz, b0, c20);
      c30 = fma(a0.wwww, b0, c30);
    }
  }
  let row = row0 + ty * 4u;
  let col = col0 + tx * 4u;
  store(row, col, c00);
  store(row + 1u, col, c10);
  store(row + 2u, col, c20);
  store(row + 3u, col, c30);
}
