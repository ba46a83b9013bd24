@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;

// begin, end and the row's length are multiples of 4.
fn gather(group: u32, begin: u32, end: u32, lane: u32) -> Acc {
  let row = group * (p.count / 4u);
  var acc = acc_empty();
  var j = begin / 4u + lane;
  while (j + TEAM < end / 4u) {  // two loads under way at once
    let v = x[row + j];
    let w = x[row + j + TEAM];
    acc = acc_add4(acc_add4(acc, v, vec4<f32>(1.0)), w, vec4<f32>(1.0));
    j += 2u * TEAM;
  }
  if (j < end / 4u) { acc = acc_add4(acc, x[row + j], vec4<f32>(1.0)); }
  return acc;
}
