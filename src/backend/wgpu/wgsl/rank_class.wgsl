// The ordered compaction: strictly inside, a copy of the lower key, a copy of the higher one.
struct Bounds {
  kept: u32,
  high: u32,
  high_rank: u32,  // copies of the higher key up to this one are kept
  low: u32,
  low_rank: u32,   // copies of the lower key from this one on are kept
}

const INSIDE: u32 = 1u;
const LOW: u32 = 2u;
const HIGH: u32 = 3u;

fn class_of(key: u32, b: Bounds) -> u32 {
  if (p.two == 0u) { return select(select(0u, HIGH, key == b.high), INSIDE, key < b.high); }
  if (key == b.low) { return LOW; }
  if (key == b.high) { return HIGH; }
  return select(0u, INSIDE, key > b.low && key < b.high);
}

// One of four classes as counts: inside (16 bits) and low (16 bits), high.
fn counts_of(classes: vec4<u32>) -> vec2<u32> {
  let inside = select(vec4(0u), vec4(1u), classes == vec4(INSIDE));
  let low = select(vec4(0u), vec4(65536u), classes == vec4(LOW));
  let high = select(vec4(0u), vec4(1u), classes == vec4(HIGH));
  let first = inside + low;
  return vec2(first.x + first.y + first.z + first.w, high.x + high.y + high.z + high.w);
}

// Kept among the first n copies of the lower key.
fn kept_low(n: u32, b: Bounds) -> u32 {
  let most = select(NONE, b.high_rank - b.low_rank + 1u, b.low == b.high);
  return min(max(n, b.low_rank) - b.low_rank, most);
}

// Kept among the first n copies of the higher key.
fn kept_high(n: u32, b: Bounds) -> u32 { return min(n, b.high_rank + 1u); }
