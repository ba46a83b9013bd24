// The bands' sums as doubles, rounded once: a thread adds one band's exact integers.
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> doubles: array<u32>;

var<private> limbs: array<u32, 12>;  // units of 2^-149

fn add_word(at: u32, word: u32) {
  var carry = word;
  for (var i = at; i < 12u && carry != 0u; i++) {
    let sum = limbs[i] + carry;
    carry = select(0u, 1u, sum < carry);
    limbs[i] = sum;
  }
}

fn add_shifted(low: u32, high: u32, shift: u32) {
  let at = shift / 32u;
  let bits = shift % 32u;
  add_word(at, low << bits);
  if (bits == 0u) {
    add_word(at + 1u, high);
  } else {
    add_word(at + 1u, (high << bits) | (low >> (32u - bits)));
    add_word(at + 2u, high >> (32u - bits));
  }
}

fn bit_at(i: i32) -> u32 {
  if (i < 0) { return 0u; }
  return (limbs[u32(i) / 32u] >> (u32(i) % 32u)) & 1u;
}

// Rounds to 53 bits, to even.
fn as_double() -> vec2<u32> {
  var top = 383;
  while (top >= 0 && bit_at(top) == 0u) { top--; }
  if (top < 0) { return vec2(0u); }
  var high = 0u;
  for (var i = 1; i <= 20; i++) { high = (high << 1u) | bit_at(top - i); }
  var low = 0u;
  for (var i = 21; i <= 52; i++) { low = (low << 1u) | bit_at(top - i); }
  var rest = 0u;
  for (var i = top - 54; i >= 0; i--) { rest |= bit_at(i); }
  high |= u32(top - 149 + 1023) << 20u;
  if (bit_at(top - 53) != 0u && (rest != 0u || (low & 1u) != 0u)) {
    low++;
    if (low == 0u) { high++; }
  }
  return vec2(low, high);
}

fn run(cell: u32) {
  if (cell >= 1u) { return; }
  if (tid >= 3u) { return; }
  for (var exponent = 0u; exponent < 256u; exponent++) {
    let at = 4u * (tid * 256u + exponent);
    let shift = max(exponent, 1u) - 1u;
    add_shifted(sums[at], sums[at + 1u], shift);
    add_shifted(sums[at + 2u], sums[at + 3u], shift + 12u);
  }
  let result = as_double();
  doubles[2u * tid] = result.x;
  doubles[2u * tid + 1u] = result.y;
}
