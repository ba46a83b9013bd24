// Elements four words at a time: rows and pieces begin at multiples of four.
@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;

fn load1(at: u32) -> u32 { return x[at >> 2u][at & 3u]; }

// Four elements, of which `left` exist.
fn load4(at: u32, left: u32) -> vec4<u32> {
  if (left == 0u) { return vec4(0u); }
  return x[at >> 2u];
}
