// Sum over a workgroup, right in thread 0: within subgroups by shuffles, then over one sum a
// subgroup. SUBGROUP is a power of two no greater than the size of any subgroup.
var<workgroup> parts: array<f32, WG / SUBGROUP>;

fn total(x: f32, lane: u32) -> f32 {
  workgroupBarrier();  // brings a subgroup's lanes together again: drivers may leave them apart
  var sum = x;
  for (var step = SUBGROUP / 2u; step > 0u; step /= 2u) {
    sum += subgroupShuffleXor(sum, step);
  }
  if (lane % SUBGROUP == 0u) {
    parts[lane / SUBGROUP] = sum;
  }
  workgroupBarrier();
  sum = parts[0];
  for (var i = 1u; i < WG / SUBGROUP; i++) {
    sum += parts[i];
  }
  return sum;
}
