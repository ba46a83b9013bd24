// A workgroup computes a tile of 128×128, each of its 16×16 threads 8×8 elements in registers that
// are named one by one: an array of them would be kept in memory. The next slices of the operands
// are loaded while the present ones are multiplied. Comes after matmul_slices.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.tiles) {
    return;
  }
  let row0 = group / p.tiles_n * 128u;
  let col0 = group % p.tiles_n * 128u;
  let tx = lane % 16u;
  let ty = lane / 16u;
  var c00 = vec4<f32>();
  var c01 = vec4<f32>();
  var c10 = vec4<f32>();
  var c11 = vec4<f32>();
  var c20 = vec4<f32>();
  var c21 = vec4<f32>();
  var c30 = vec4<f32>();
  var c31 = vec4<f32>();
  var c40 = vec4<f32>();
  var c41 = vec4<f32>();
  var c50 = vec4<f32>();
  var c51 = vec4<f32>();
  var c60 = vec4<f32>();
  var c61 = vec4<f32>();
  var c70 = vec4<f32>();
  var c71 = vec4<f32>();
  var next_a0 = fetch_a(lane, row0, 0u);
  var next_b0 = fetch_b(lane, col0, 0u);
  var next_a1 = fetch_a(lane + 256u, row0, 0u);
  var next_b1 = fetch_b(lane + 256u, col0, 0u);
  for (var k0 = 0u; k0 < p.k; k0 += BK) {
    workgroupBarrier();
    keep_a(lane, next_a0);
    keep_b(lane, next_b0);
    keep_a(lane + 256u, next_a1);
    keep_b(lane + 256u, next_b1);
    workgroupBarrier();
    if (k0 + BK < p.k) {
      next_a0 = fetch_a(lane, row0, k0 + BK);
      next_b0 = fetch_b(lane, col0, k0 + BK);
      next_a1 = fetch_a(lane + 256u, row0, k0 + BK);
      next_b1 = fetch_b(lane + 256u, col0, k0 + BK);
    }
    for (var k = 0u; k < BK; k++) {
      let a0 = slice_a[k * 32u + ty];
      let a1 = slice_a[k * 32u + ty + 16u];
      let b0 = slice_b[k * 32u + tx];
      let b1 = slice_b[k * 32u + tx + 16u];
      c00 = fma(a0.xxxx, b0, c00);
      c01 = fma(a0.xxxx, b1, c01);
      c10 = fma(a0.yyyy, b0, c10);
      c11 = fma(a0.yyyy, b1, c11);
      c20 = fma(a0.zzzz, b0, c20);
      c21 = fma(a0.zzzz, b1, c21);
      c30 = fma(a0.wwww, b0, c30);
      c31 = fma(a0.wwww, b1, c31);
      c40 = fma(a1.xxxx, b0, c40);
      c41 = fma(a1.xxxx, b1, c41);
      c50 = fma(a1.yyyy, b0, c50);
      c51 = fma(a1.yyyy, b1, c51);
      c60 = fma(a1.zzzz, b0, c60);
      c61 = fma(a1.zzzz, b1, c61);
      c70 = fma(a1.wwww, b0, c70);
      c71 = fma(a1.wwww, b1, c71);
    }
  }
  let row = row0 + ty * 4u;
  let col = col0 + tx * 4u;
  store(row, col, c00);
  store(row, col + 64u, c01);
  store(row + 1u, col, c10);
  store(row + 1u, col + 64u, c11);
  store(row + 2u, col, c20);
  store(row + 2u, col + 64u, c21);
  store(row + 3u, col, c30);
  store(row + 3u, col + 64u, c31);
  store(row + 64u, col, c40);
  store(row + 64u, col + 64u, c41);
  store(row + 65u, col, c50);
  store(row + 65u, col + 64u, c51);
  store(row + 66u, col, c60);
  store(row + 66u, col + 64u, c61);
  store(row + 67u, col, c70);
  store(row + 67u, col + 64u, c71);
}
