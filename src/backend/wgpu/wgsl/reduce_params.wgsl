// `groups` reductions of `count` terms each, in `splits` pieces of `piece` terms; term j of group i
// is number i * group_step + j * term_step (parts only). `blocks` workgroups.
struct Params {
  groups: u32, count: u32, splits: u32, piece: u32, blocks: u32,
  group_step: u32, term_step: u32, exponent: i32,
  zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
