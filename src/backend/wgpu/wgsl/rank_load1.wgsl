// Elements one word at a time: any number of columns.
@group(0) @binding(1) var<storage, read_write> x: array<u32>;

fn load1(at: u32) -> u32 { return x[at]; }

// Four elements, of which `left` exist.
fn load4(at: u32, left: u32) -> vec4<u32> {
  if (left == 0u) { return vec4(0u); }
  let last = at + min(left, 4u) - 1u;
  return vec4(x[at], x[min(at + 1u, last)], x[min(at + 2u, last)], x[last]);
}
