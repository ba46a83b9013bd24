// Group of element i: all alike (AXIS 2), its column (0) or its row (1).
struct Params { count: u32, cols: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;

fn group_of(i: u32) -> u32 {
  if (AXIS == 2u) { return 0u; }
  return select(i % p.cols, i / p.cols, AXIS == 1u);
}
