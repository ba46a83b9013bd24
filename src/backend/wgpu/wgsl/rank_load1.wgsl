// Elements one word at a time: any number of columns. Loads do not branch, so that several are
// under way; what is not to be read is replaced by what may be.
@group(0) @binding(1) var<storage, read_write> x: array<u32>;

fn load1(at: u32) -> u32 { return x[at]; }

// Four elements, of which `left` exist.
fn load4(at: u32, left: u32) -> vec4<u32> {
  let first = select(p.x, at, left > 0u);
  let last = first + max(1u, min(left, 4u)) - 1u;
  return vec4(x[first], x[min(first + 1u, last)], x[min(first + 2u, last)], x[last]);
}
