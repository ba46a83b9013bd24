// Lists candidates in order: a sweep of sixteen elements a thread.
fn number(keep: vec4<bool>) -> u32 {
  let one = select(vec4(0u), vec4(1u), keep);
  return one.x + one.y + one.z + one.w;
}

fn store4(key: vec4<u32>, keep: vec4<bool>, column: u32, first: u32, list: u32) {
  var to = first;
  for (var i = 0u; i < 4u; i++) {
    if (keep[i]) {
      if (to < p.cap) {
        keys[p.keys + list + to] = key[i];
        columns[p.columns + list + to] = column + i;
      }
      to++;
    }
  }
}

// Lists those of four fours that are kept, behind `listed` entries; returns how many there are then.
fn list_sweep(key: array<vec4<u32>, 4>, keep: array<vec4<bool>, 4>, column: u32, list: u32,
              listed: u32) -> u32 {
  let sums = prefix(vec2(number(keep[0]) | (number(keep[1]) << 16u),
                         number(keep[2]) | (number(keep[3]) << 16u)));
  let first = listed + (sums.z & 0xffffu);
  let second = first + (sums.z >> 16u);
  let third = second + (sums.w & 0xffffu);
  store4(key[0], keep[0], column, listed + (sums.x & 0xffffu), list);
  store4(key[1], keep[1], column + WG * 4u, first + (sums.x >> 16u), list);
  store4(key[2], keep[2], column + WG * 8u, second + (sums.y & 0xffffu), list);
  store4(key[3], keep[3], column + WG * 12u, third + (sums.y >> 16u), list);
  return third + (sums.w >> 16u);
}
