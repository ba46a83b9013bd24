// One element of c a workgroup, whose threads share the inner length: products with few rows or
// columns, both operands running along it. `total` comes before this.
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.tiles) {
    return;
  }
  let row = group / p.n * p.k;
  let col = group % p.n * p.k;
  var even = 0.0;
  var odd = 0.0;
  for (var l = lane; l < p.k; l += 2u * WG) {
    even = fma(a[row + l], b[col + l], even);
    if (l + WG < p.k) {
      odd = fma(a[row + l + WG], b[col + l + WG], odd);
    }
  }
  let sum = total(even + odd, lane);
  if (lane == 0u) {
    if (ACCUMULATE == 1u) {
      c[group] = c[group] + sum;
    } else {
      c[group] = sum;
    }
  }
}
