// Merges neighbouring sorted runs of a row: every composite finds its place by a binary search in
// the other run. The last merge writes the answer.
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> lists: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> merged: array<vec2<u32>>;

fn less(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }

fn place_of(row: u32, i: u32, own: vec2<u32>) -> u32 {
  let pair = i / (2u * p.run) * (2u * p.run);
  let middle = min(p.k, pair + p.run);
  let is_left = i < middle;
  var low = select(pair, middle, is_left);
  var high = select(middle, min(p.k, pair + 2u * p.run), is_left);
  while (low < high) {
    let at = (low + high) / 2u;
    let other = lists[p.lists + row + at];
    let before = select(!less(own, other), less(other, own), is_left);
    if (before) { low = at + 1u; } else { high = at; }
  }
  return i + low - middle;
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let each = (p.k + WG * 4u - 1u) / (WG * 4u);
  let row = cell / each;
  let end = min(p.k, (cell % each + 1u) * WG * 4u);
  for (var i = cell % each * WG * 4u + tid; i < end; i += WG) {
    let own = lists[p.lists + row * p.k + i];
    let to = row * p.k + place_of(row * p.k, i, own);
    if (LAST == 0u) {
      merged[p.merged + to] = own;
      continue;
    }
    var value = 0x7fc00000u;
    if (own.y != NONE) { value = load1(p.x + row * p.cols + own.y); }
    values[p.values + to] = value;
    indices[p.indices + to] = own.y;
  }
}
