// Zeros: four words a thread.
@group(0) @binding(1) var<storage, read_write> values: array<u32>;

fn run(cell: u32) {
  for (var i = 0u; i < 4u; i++) {
    let at = (cell * 4u + i) * WG + tid;
    if (at < p.count) { values[p.values + at] = 0u; }
  }
}
