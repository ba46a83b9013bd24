// Elements from a row or from a list of its candidates, and the answer's slots.
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> columns: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;

struct Source {
  n: u32,
  first: u32,   // word of the row, or entry of the list
  column: u32,  // of the first element
  listed: bool,
}

fn keys_at(s: Source, at: u32) -> vec4<u32> {
  if (!s.listed) { return ordered4(load4(s.first + at, left_of(at, s.n))); }
  var key = vec4(NONE);
  for (var i = 0u; i < 4u; i++) {
    if (at + i < s.n) { key[i] = keys[p.keys + s.first + at + i]; }
  }
  return key;
}

fn columns_at(s: Source, at: u32) -> vec4<u32> {
  if (!s.listed) { return vec4(at, at + 1u, at + 2u, at + 3u) + vec4(s.column); }
  var column = vec4(0u);
  for (var i = 0u; i < 4u; i++) {
    if (at + i < s.n) { column[i] = columns[p.columns + s.first + at + i]; }
  }
  return column;
}

// Slots `from` and every `step` behind it stay without an element.
fn put_missing(row: u32, from_slot: u32, step: u32) {
  for (var i = from_slot; i < p.k; i += step) {
    values[p.values + row * p.k + i] = 0x7fc00000u;
    indices[p.indices + row * p.k + i] = NONE;
  }
}

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

// Writes what is kept of a source, behind `before` (inside, low, high), in order.
fn put_all(row: u32, s: Source, before: vec3<u32>, b: Bounds) {
  var done = before;
  for (var begin = 0u; begin < s.n; begin += WG * 4u) {
    let at = begin + tid * 4u;
    let key = keys_at(s, at);
    var classes = vec4(class_of(key.x, b), class_of(key.y, b), class_of(key.z, b),
                       class_of(key.w, b));
    classes = select(vec4(0u), classes, present4(key, at, s.n));
    let sums = prefix(counts_of(classes));
    let seen = done + vec3(sums.x & 0xffffu, sums.x >> 16u, sums.y);
    if (any(classes != vec4(0u))) { put4(row, classes, columns_at(s, at), seen, b); }
    done += vec3(sums.z & 0xffffu, sums.z >> 16u, sums.w);
  }
}
