// One row in workgroup memory: sorts its composites and writes the wanted ranks.
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

// Those that do not take part stand last.
fn participants() -> u32 {
  var low = 0u;
  var high = N;
  while (low < high) {
    let at = (low + high) / 2u;
    if (minor[at] == NONE) { high = at; } else { low = at + 1u; }
  }
  return low;
}

fn run(row: u32) {
  if (row >= p.count) { return; }
  let at = p.x + row * p.cols;
  for (var i = tid; i < N; i += WG) {
    var key = NONE;
    var column = NONE;
    if (i < p.cols) {
      key = ordered(load1(at + i));
      if (takes_part(key)) { column = i; }
    }
    major[i] = key;
    minor[i] = column;
  }
  sort_composites();
  let all_parts = participants();
  let kept = min(p.k, all_parts);
  var first = select(0u, (all_parts - kept) / 2u, p.two != 0u);
  if (SORTED == 0u) {
    workgroupBarrier();
    for (var i = tid; i < N; i += WG) {
      major[i] = select(NONE, minor[i], i >= first && i - first < kept);
      minor[i] = major[i];
    }
    sort_composites();
    first = 0u;
  }
  for (var i = tid; i < p.k; i += WG) {
    var value = 0x7fc00000u;
    var column = NONE;
    if (i < kept) {
      column = minor[first + i];
      value = load1(at + column);
    }
    values[p.values + row * p.k + i] = value;
    indices[p.indices + row * p.k + i] = column;
  }
}
