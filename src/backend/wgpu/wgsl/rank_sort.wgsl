// Sorts a row's survivors, in place.
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> state: array<u32>;

fn run(row: u32) {
  if (row >= p.count) { return; }
  if (DONE != 0u && state[p.state + row] != 0u) { return; }  // written in order
  for (var i = tid; i < N; i += WG) {
    var column = NONE;
    if (i < p.k) { column = indices[p.indices + row * p.k + i]; }
    var key = NONE;
    if (column != NONE) { key = ordered(values[p.values + row * p.k + i]); }
    major[i] = key;
    minor[i] = column;
  }
  sort_composites();
  for (var i = tid; i < p.k; i += WG) {
    let column = minor[i];
    var value = 0x7fc00000u;
    if (column != NONE) { value = load1(p.x + row * p.cols + column); }
    values[p.values + row * p.k + i] = value;
    indices[p.indices + row * p.k + i] = column;
  }
}
