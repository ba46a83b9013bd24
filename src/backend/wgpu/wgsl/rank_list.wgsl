// Lists candidates in order: a sweep of sixteen elements a thread.
fn number(keep: vec4<bool>) -> u32 {
  let one = select(vec4(0u), vec4(1u), keep);
  return one.x + one.y + one.z + one.w;
}

fn store1(key: u32, column: u32, to: u32, list: u32) {
  if (to < p.cap) {
    keys[p.keys + list + to] = key;
    columns[p.columns + list + to] = column;
  }
}

fn store4(key: vec4<u32>, keep: vec4<bool>, column: u32, first: u32, list: u32) {
  var to = first;
  if (keep.x) { store1(key.x, column, to, list); }
  to += u32(keep.x);
  if (keep.y) { store1(key.y, column + 1u, to, list); }
  to += u32(keep.y);
  if (keep.z) { store1(key.z, column + 2u, to, list); }
  to += u32(keep.z);
  if (keep.w) { store1(key.w, column + 3u, to, list); }
}

struct Fours {
  a: vec4<u32>,
  b: vec4<u32>,
  c: vec4<u32>,
  d: vec4<u32>,
}
struct Marks {
  a: vec4<bool>,
  b: vec4<bool>,
  c: vec4<bool>,
  d: vec4<bool>,
}

// The keys of a thread's four fours of a sweep, from offset `at` of n.
fn fours_at(first: u32, at: u32, n: u32) -> Fours {
  let a = load4(first + at, left_of(at, n));
  let b = load4(first + at + WG * 4u, left_of(at + WG * 4u, n));
  let c = load4(first + at + WG * 8u, left_of(at + WG * 8u, n));
  let d = load4(first + at + WG * 12u, left_of(at + WG * 12u, n));
  return Fours(ordered4(a), ordered4(b), ordered4(c), ordered4(d));
}

// Lists what is marked, behind `listed` entries; returns how many there are then.
fn list_sweep(key: Fours, keep: Marks, column: u32, list: u32, listed: u32) -> u32 {
  let sums = prefix(vec2(number(keep.a) | (number(keep.b) << 16u),
                         number(keep.c) | (number(keep.d) << 16u)));
  let first = listed + (sums.z & 0xffffu);
  let second = first + (sums.z >> 16u);
  let third = second + (sums.w & 0xffffu);
  if (any(keep.a)) { store4(key.a, keep.a, column, listed + (sums.x & 0xffffu), list); }
  if (any(keep.b)) { store4(key.b, keep.b, column + WG * 4u, first + (sums.x >> 16u), list); }
  if (any(keep.c)) { store4(key.c, keep.c, column + WG * 8u, second + (sums.y & 0xffffu), list); }
  if (any(keep.d)) { store4(key.d, keep.d, column + WG * 12u, third + (sums.y >> 16u), list); }
  return third + (sums.w >> 16u);
}
