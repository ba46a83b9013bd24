@group(0) @binding(1) var<storage, read_write> x: array<Acc>;

fn gather(group: u32, begin: u32, end: u32, lane: u32) -> Acc {
  let row = group * p.group_step;
  var acc = acc_empty();
  for (var j = begin + lane; j < end; j += TEAM) { acc = acc_join(acc, x[row + j * p.term_step]); }
  return acc;
}
