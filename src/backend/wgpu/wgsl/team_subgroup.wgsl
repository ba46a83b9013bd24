// SUBGROUP is a power of two no greater than the size of any subgroup.
fn near_max(key: u32, span: u32) -> u32 {
  var k = key;
  for (var s = span / 2u; s > 0u; s /= 2u) { k = max(k, subgroupShuffleXor(k, s)); }
  return k;
}

fn near_sum(sum: vec2<f32>, span: u32) -> vec2<f32> {
  var v = sum;
  for (var s = span / 2u; s > 0u; s /= 2u) { v = sum_join(v, subgroupShuffleXor(v, s)); }
  return v;
}
