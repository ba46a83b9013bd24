// The first NaN of a piece, as an index from the first row bound.
@group(0) @binding(2) var<storage, read_write> first_nan: array<atomic<u32>>;

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let row = piece.x * p.cols + piece.y;
  var found = NONE;
  for (var at = tid * 4u; at < piece.z && found == NONE; at += WG * 4u) {
    let raw = load4(p.x + row + at, piece.z - at) & vec4(0x7fffffffu);
    for (var i = 0u; i < 4u; i++) {
      if (raw[i] > 0x7f800000u && at + i < piece.z) { found = min(found, row + at + i); }
    }
  }
  if (found != NONE) { atomicMin(&first_nan[p.values], found); }
}
