// Clears the rows' counters.
@group(0) @binding(1) var<storage, read_write> counters: array<u32>;

fn run(row: u32) {
  if (row >= p.count) { return; }
  for (var i = tid; i < (1u + p.two) * BINS; i += WG) { counters[bins_at(row, 0u) + i] = 0u; }
}
