// A selection's gradient goes to the columns it came from.
@group(0) @binding(1) var<storage, read_write> gradient: array<u32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;

fn run(cell: u32) {
  let at = cell * WG + tid;
  if (at >= p.count) { return; }
  var column = NONE;
  if (WIDE == 0u) {
    column = indices[p.indices + at];
  } else if (indices[p.indices + 2u * at + 1u] == 0u) {
    column = indices[p.indices + 2u * at];
  }
  if (column < p.cols) { values[p.values + at / p.k * p.cols + column] = gradient[p.x + at]; }
}
