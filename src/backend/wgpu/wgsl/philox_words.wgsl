// Philox4x32-10, as base/philox.hpp has it.

// The 64-bit product (low word, high word) from products of 16-bit parts.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
  let al = a & 0xFFFFu;
  let ah = a >> 16u;
  let bl = b & 0xFFFFu;
  let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  let carried = al * bh + (middle & 0xFFFFu);
  return vec2<u32>(a * b, ah * bh + (middle >> 16u) + (carried >> 16u));
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let a = wide_product(0xD2511F53u, c.x);
    let b = wide_product(0xCD9E8D57u, c.z);
    c = vec4<u32>(b.y ^ c.y ^ key.x, b.x, a.y ^ c.w ^ key.y, a.x);
    key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}
