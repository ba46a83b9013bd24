// Pairs (target row, source row), sorted ascending by a bitonic network whose comparisons all put
// the smaller pair first: pairs past the last would be the largest, so they need not exist. The
// pairs are different, so their order does not depend on the network.
fn is_before(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

// The lower place of comparison k, and its partner: of a merge of two sorted runs of `run` pairs
// (flip: one of them read backwards), or of a later step of such a merge, `run` places apart.
fn lower_place(k: u32, run: u32) -> u32 {
  return k / run * (2u * run) + k % run;
}
fn partner(lower: u32, run: u32, flip: bool) -> u32 {
  return select(lower + run, lower / (2u * run) * (2u * run) + (2u * run - 1u) - lower % (2u * run),
                flip);
}
