// Writes what a piece keeps, in order of columns, and the missing slots behind a row's survivors.
@group(0) @binding(6) var<storage, read_write> state: array<u32>;
@group(0) @binding(7) var<storage, read_write> pieces: array<u32>;

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let row = piece.x;
  let b = bounds_of(row);
  put_missing(row, b.kept + (cell % p.pieces) * WG + tid, p.pieces * WG);
  let info = p.pieces_at + cell * 4u;
  let before = vec3(pieces[info], pieces[info + 1u], pieces[info + 2u]);
  let listed = pieces[info + 3u];
  if (listed <= p.cap) {
    put_all(row, Source(listed, cell * p.cap, 0u, true), before, b);
  } else {
    put_all(row, Source(piece.z, p.x + row * p.cols + piece.y, piece.y, false), before, b);
  }
}
