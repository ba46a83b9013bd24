// Philox4x32-10: block b of the stream gives words 4b to 4b + 3, as uniforms on [0, 1).
struct Params {
  count: u32, blocks: u32, seed_low: u32, seed_high: u32, first_low: u32, first_high: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

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

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let b = block * WG + lid;
  let low = p.first_low + b;
  let high = p.first_high + u32(low < b);
  let words = philox(vec4<u32>(low, high, 0u, 0u), vec2<u32>(p.seed_low, p.seed_high));
  let u = vec4<f32>(words >> vec4<u32>(8u)) * 0x1p-24f;
  if (4u * b < p.count) { out[4u * b] = u.x; }
  if (4u * b + 1u < p.count) { out[4u * b + 1u] = u.y; }
  if (4u * b + 2u < p.count) { out[4u * b + 2u] = u.z; }
  if (4u * b + 3u < p.count) { out[4u * b + 3u] = u.w; }
}
