// Maximum and sum over the teams of TEAM consecutive threads; every thread gets its team's result,
// added up in a fixed order. Each of the two functions may be called once in a shader's run, by
// all threads: the halves of the exchange areas alternate, so that one barrier a step is enough.
var<workgroup> exchange_keys: array<u32, 2u * WG>;
var<workgroup> exchange_sums: array<vec2<f32>, 2u * WG>;

fn team_max(key: u32, lid: u32) -> u32 {
  var k = key;
  var half = 0u;
  var span = TEAM;
  while (span > 1u) {
    let four = span >= 4u;
    let step = select(span / 2u, span / 4u, four);
    exchange_keys[half + lid] = k;
    workgroupBarrier();
    let first = half + lid - lid % span + lid % step;
    k = max(exchange_keys[first], exchange_keys[first + step]);
    if (four) { k = max(k, max(exchange_keys[first + 2u * step], exchange_keys[first + 3u * step])); }
    span = step;
    half = WG - half;
  }
  return k;
}

fn team_sum(sum: vec2<f32>, lid: u32) -> vec2<f32> {
  var v = sum;
  var half = 0u;
  var span = TEAM;
  while (span > 1u) {
    let four = span >= 4u;
    let step = select(span / 2u, span / 4u, four);
    exchange_sums[half + lid] = v;
    workgroupBarrier();
    let first = half + lid - lid % span + lid % step;
    v = sum_join(exchange_sums[first], exchange_sums[first + step]);
    if (four) {
      v = sum_join(v, sum_join(exchange_sums[first + 2u * step], exchange_sums[first + 3u * step]));
    }
    span = step;
    half = WG - half;
  }
  return v;
}
