// Maximum and sum over the teams of TEAM consecutive threads: first within subgroups, then over
// one result a subgroup; every thread gets its team's result, added up in a fixed order. Each of
// the two functions may be called once in a shader's run, by all threads. SUBGROUP is a power of
// two no greater than the size of any subgroup.
const NEAR: u32 = min(TEAM, SUBGROUP);
const FAR: u32 = TEAM / NEAR;
var<workgroup> exchange_keys: array<u32, WG / NEAR>;
var<workgroup> exchange_sums: array<vec2<f32>, WG / NEAR>;

fn team_max(key: u32, lid: u32) -> u32 {
  workgroupBarrier();  // brings a subgroup's lanes together again: drivers may leave them apart
  var k = key;
  for (var s = NEAR / 2u; s > 0u; s /= 2u) { k = max(k, subgroupShuffleXor(k, s)); }
  if (FAR == 1u) { return k; }
  if (lid % NEAR == 0u) { exchange_keys[lid / NEAR] = k; }
  workgroupBarrier();
  let first = lid / TEAM * FAR;
  for (var i = 0u; i < FAR; i++) { k = max(k, exchange_keys[first + i]); }
  return k;
}

fn team_sum(sum: vec2<f32>, lid: u32) -> vec2<f32> {
  workgroupBarrier();
  var v = sum;
  for (var s = NEAR / 2u; s > 0u; s /= 2u) { v = sum_join(v, subgroupShuffleXor(v, s)); }
  if (FAR == 1u) { return v; }
  if (lid % NEAR == 0u) { exchange_sums[lid / NEAR] = v; }
  workgroupBarrier();
  let first = lid / TEAM * FAR;
  v = exchange_sums[first];
  for (var i = 1u; i < FAR; i++) { v = sum_join(v, exchange_sums[first + i]); }
  return v;
}
