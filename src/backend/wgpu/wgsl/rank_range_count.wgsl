// Counts the elements of a piece with low <= key <= high, as 64 bits.
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let first = p.x + piece.x * p.cols + piece.y;
  var sum = 0u;
  for (var at = tid * 4u; at < piece.z; at += WG * 4u) {
    let key = ordered4(load4(first + at, piece.z - at));
    let kept = present4(key, at, piece.z) & (key >= vec4(p.low)) & (key <= vec4(p.high));
    let one = select(vec4(0u), vec4(1u), kept);
    sum += one.x + one.y + one.z + one.w;
  }
  let total = prefix(vec2(sum, 0u)).z;
  if (tid == 0u) {
    counts[p.values + 2u * cell] = total;
    counts[p.values + 2u * cell + 1u] = 0u;
  }
}
