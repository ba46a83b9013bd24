// Writes what a piece keeps, in order of columns, and the missing slots behind a row's survivors.
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> pieces: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>;
@group(0) @binding(5) var<storage, read_write> columns: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;
@group(0) @binding(7) var<storage, read_write> indices: array<u32>;

fn put(row: u32, slot: u32, column: u32) {
  if (slot >= p.k) { return; }
  values[p.values + row * p.k + slot] = load1(p.x + row * p.cols + column);
  indices[p.indices + row * p.k + slot] = column;
}

// Four classes in order, behind `seen` (inside, low, high).
fn put4(row: u32, classes: vec4<u32>, column: vec4<u32>, seen_in: vec3<u32>, b: Bounds) {
  var seen = seen_in;
  for (var i = 0u; i < 4u; i++) {
    let slot = seen.x + kept_low(seen.y, b) + kept_high(seen.z, b);
    let here = classes[i];
    let low = here == LOW && kept_low(seen.y + 1u, b) != kept_low(seen.y, b);
    if (here == INSIDE || low || (here == HIGH && seen.z <= b.high_rank)) {
      put(row, slot, column[i]);
    }
    seen += select(vec3(0u), vec3(1u), vec3(here) == vec3(INSIDE, LOW, HIGH));
  }
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let row = piece.x;
  let b = bounds_of(row);
  for (var i = b.kept + (cell % p.pieces) * WG + tid; i < p.k; i += p.pieces * WG) {
    values[p.values + row * p.k + i] = 0x7fc00000u;
    indices[p.indices + row * p.k + i] = NONE;
  }
  let info = p.pieces_at + cell * 4u;
  var done = vec3(pieces[info], pieces[info + 1u], pieces[info + 2u]);
  let listed = pieces[info + 3u];
  let from_list = listed <= p.cap;
  let n = select(piece.z, listed, from_list);
  let list = cell * p.cap;
  for (var begin = 0u; begin < n; begin += WG * 4u) {
    let at = begin + tid * 4u;
    let place = vec4(at, at + 1u, at + 2u, at + 3u);
    var key = vec4(NONE);
    var column = place + vec4(piece.y);
    if (from_list) {
      for (var i = 0u; i < 4u; i++) {
        if (at + i < n) {
          key[i] = keys[p.keys + list + at + i];
          column[i] = columns[p.columns + list + at + i];
        }
      }
    } else {
      key = ordered4(load4(p.x + row * p.cols + piece.y + at, left_of(at, n)));
    }
    var classes = vec4(class_of(key.x, b), class_of(key.y, b), class_of(key.z, b),
                       class_of(key.w, b));
    classes = select(vec4(0u), classes, present4(key, at, n));
    let sums = prefix(counts_of(classes));
    put4(row, classes, column, done + vec3(sums.x & 0xffffu, sums.x >> 16u, sums.y), b);
    done += vec3(sums.z & 0xffffu, sums.z >> 16u, sums.w);
  }
}
