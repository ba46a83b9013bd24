@group(0) @binding(1) var<storage, read_write> x: array<u32>;

fn gather(group: u32, begin: u32, end: u32, lane: u32) -> Acc {
  let row = group * p.count;
  var acc = acc_empty();
  var j = begin + lane;
  while (j + 3u * TEAM < end) {
    let v = vec4<u32>(x[row + j], x[row + j + TEAM], x[row + j + 2u * TEAM], x[row + j + 3u * TEAM]);
    acc = acc_add4(acc, v, vec4<f32>(1.0));
    j += 4u * TEAM;
  }
  while (j < end) {
    acc = acc_add(acc, x[row + j], 1.0);
    j += TEAM;
  }
  return acc;
}
