// Rank selection: parameters and keys. Keys ascend in the kind's order (spec 3, 2.1): complemented
// for TopK. A key of all ones does not take part, unless all elements do.
struct Params {
  count: u32,    // workgroups
  cols: u32,
  k: u32,
  pieces: u32,   // of a row
  stride: u32,   // columns of a piece
  cap: u32,      // entries of a piece's list of candidates
  x: u32,        // first words of the operands in their bindings
  bins: u32,
  state: u32,
  pieces_at: u32,
  keys: u32,
  columns: u32,
  values: u32,
  indices: u32,
  flip: u32,     // ones: the largest come first
  nan_key: u32,
  all: u32,      // 1: NaN takes part
  mask: u32,     // of the bits that count: no sign for bands
  two: u32,      // 1: two ranks are sought
  ranked: u32,   // 1: the ranks are given, else they follow from k
  high: u32,
  low: u32,
  run: u32,      // merge: length of a sorted run
  lists: u32,    // merge: first words of the lists read and written
  merged: u32,
  above: u32,    // bands: 1 where there are any
  beneath: u32,
  tolerance: u32,
  sorted: u32,   // 1: the answer is wanted in the kind's order
}
@group(0) @binding(0) var<uniform> p: Params;

const NONE: u32 = 0xffffffffu;
const BINS: u32 = 2048u;
const STATE: u32 = 64u;  // words: kept, key, rank (of the higher), key, rank (of the lower)

fn ordered(raw: u32) -> u32 {
  let bits = raw & p.mask;
  let size = bits & 0x7fffffffu;
  var u = select(bits ^ 0x80000000u, ~bits, bits >= 0x80000000u);
  u = select(u, 0x80000000u, size == 0u);
  return select(u ^ p.flip, p.nan_key, size > 0x7f800000u);
}

fn ordered4(raw: vec4<u32>) -> vec4<u32> {
  let bits = raw & vec4(p.mask);
  let size = bits & vec4(0x7fffffffu);
  var u = select(bits ^ vec4(0x80000000u), ~bits, bits >= vec4(0x80000000u));
  u = select(u, vec4(0x80000000u), size == vec4(0u));
  return select(u ^ vec4(p.flip), vec4(p.nan_key), size > vec4(0x7f800000u));
}

fn takes_part(key: u32) -> bool { return key != NONE || p.all != 0u; }

// Elements from offset `at` of n.
fn left_of(at: u32, n: u32) -> u32 { return max(at, n) - at; }

// Which of four elements from offset `at` of n take part.
fn present4(key: vec4<u32>, at: u32, n: u32) -> vec4<bool> {
  let place = vec4(at, at + 1u, at + 2u, at + 3u);
  return (place < vec4(n)) & ((key != vec4(NONE)) | vec4(p.all != 0u));
}

// Row, first column and columns of a piece.
fn piece_of(cell: u32) -> vec3<u32> {
  let row = cell / p.pieces;
  let begin = (cell % p.pieces) * p.stride;
  return vec3(row, begin, min(p.stride, p.cols - begin));
}

// First counter of one of a row's histograms.
fn bins_at(row: u32, which: u32) -> u32 { return p.bins + (row * (1u + p.two) + which) * BINS; }
