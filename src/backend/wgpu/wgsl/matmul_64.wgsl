// A workgroup computes a tile of 64×64, each of its 16×16 threads 4×4 elements in registers that
// are named one by one: an array of them would be kept in memory. The next slices of the operands
// are loaded while the present ones are multiplied. TRANS_A, TRANS_B: whether an operand is stored
// transposed.
const BK: u32 = 16u;
var<workgroup> slice_a: array<vec4<f32>, 256>;  // [k][row / 4]
var<workgroup> slice_b: array<vec4<f32>, 256>;  // [k][column / 4]

fn fetch_a(at: u32, row0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_A == 1u) {
    return load_a(k0 + at / 16u, row0 + at % 16u * 4u);
  }
  return load_a(row0 + at / 4u, k0 + at % 4u * 4u);
}
fn fetch_b(at: u32, col0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_B == 0u) {
    return load_b(k0 + at / 16u, col0 + at % 16u * 4u);
  }
  return load_b(col0 + at / 4u, k0 + at % 4u * 4u);
}
fn keep_a(at: u32, x: vec4<f32>) {
  if (TRANS_A == 1u) {
    slice_a[at] = x;
    return;
  }
  let row = at / 4u;
  let first = at % 4u * 64u + row / 4u;
  slice_a[first][row % 4u] = x.x;
  slice_a[first + 16u][row % 4u] = x.y;
  slice_a[first + 32u][row % 4u] = x.z;
  slice_a[first + 48u][row % 4u] = x.w;
}
fn keep_b(at: u32, x: vec4<f32>) {
  if (TRANS_B == 0u) {
    slice_b[at] = x;
    return;
  }
  let col = at / 4u;
  let first = at % 4u * 64u + col / 4u;
  slice_b[first][col % 4u] = x.x;
  slice_b[first + 16u][col % 4u] = x.y;
  slice_b[first + 32u][col % 4u] = x.z;
  slice_b[first + 48u][col % 4u] = x.w;
}

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
