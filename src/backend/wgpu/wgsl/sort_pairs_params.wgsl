// Bitonic sort of blocks of 2^n pairs (key, value), both ascending.

struct Params {
  groups: u32,
  count: u32,  // pairs of all blocks
  mask: u32,   // pairs of a block less 1
  first: u32,  // runs to merge, and the last; in pairs
  last: u32,
  stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2<u32>>;

fn is_after(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.x > b.x || (a.x == b.x && a.y > b.y);
}

// The lower of the two pairs that comparison `i` of a step with this stride meets.
fn lower_of(i: u32, stride: u32) -> u32 { return 2u * i - (i & (stride - 1u)); }
