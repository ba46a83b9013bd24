// Writes the elements of a piece with low <= key <= high and their columns, in order, from the
// piece's offset on.
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> columns: array<u32>;

fn put(to: u32, value: u32, column: u32) {
  values[to] = value;
  if (WIDE == 0u) {
    columns[to] = column;
  } else {
    columns[2u * to] = column;
    columns[2u * to + 1u] = 0u;
  }
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let first = p.x + piece.x * p.cols + piece.y;
  var done = offsets[p.keys + 2u * cell];
  for (var begin = 0u; begin < piece.z; begin += WG * 4u) {
    let at = begin + tid * 4u;
    let raw = load4(first + at, left_of(at, piece.z));
    let key = ordered4(raw);
    let kept = present4(key, at, piece.z) & (key >= vec4(p.low)) & (key <= vec4(p.high));
    let one = select(vec4(0u), vec4(1u), kept);
    let sums = prefix(vec2(one.x + one.y + one.z + one.w, 0u));
    var to = done + sums.x;
    for (var i = 0u; i < 4u; i++) {
      if (kept[i]) {
        put(to, raw[i], piece.y + at + i);
        to++;
      }
    }
    done += sums.z;
  }
}
