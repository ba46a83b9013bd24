@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;

// begin, end and the row's length are multiples of 4.
fn gather(group: u32, begin: u32, end: u32, lane: u32) -> Acc {
  let row = group * (p.count / 4u);
  var acc = acc_empty();
  for (var j = begin / 4u + lane; j < end / 4u; j += TEAM) {
    let v = x[row + j];
    acc = acc_add(acc_add(acc_add(acc_add(acc, v.x, 1.0), v.y, 1.0), v.z, 1.0), v.w, 1.0);
  }
  return acc;
}
