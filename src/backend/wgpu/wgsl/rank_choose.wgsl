// Chooses the buckets of one digit that hold a row's wanted ranks, and clears the counters.
@group(0) @binding(1) var<storage, read_write> counters: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;

const EACH: u32 = (BINS + WG - 1u) / WG;
const BITS: u32 = select(11u, 10u, DIGIT == 2u);

// The bucket of this thread's that holds a rank among its elements.
fn descend(first: u32, head: u32, rank_in: u32, at: u32) {
  var rank = rank_in;
  var bucket = tid * EACH;
  loop {
    let count = counters[first + bucket];
    if (rank < count) { break; }
    rank -= count;
    bucket++;
  }
  state[at] = (head << BITS) | bucket;
  state[at + 1u] = rank;
}

fn run(row: u32) {
  if (row >= p.count) { return; }
  let at = p.state + row * STATE;
  var head = vec2(0u);
  var rank = vec2(p.high, p.low);
  if (DIGIT != 0u) {
    head = vec2(state[at + 1u], state[at + 3u]);
    rank = vec2(state[at + 2u], state[at + 4u]);
  }
  let first = vec2(bins_at(row, 0u), bins_at(row, select(0u, 1u, p.two != 0u && head.x != head.y)));
  var sum = vec2(0u);
  for (var i = tid * EACH; i < min(BINS, tid * EACH + EACH); i++) {
    sum += vec2(counters[first.x + i], counters[first.y + i]);
  }
  storageBarrier();
  let before = prefix(sum);
  if (DIGIT == 0u) {
    let kept = min(p.k, before.z);
    if (p.ranked == 0u) {
      rank.y = select(0u, (before.z - kept) / 2u, p.two != 0u);
      rank.x = rank.y + max(kept, 1u) - 1u;
    }
    if (tid == 0u) { state[at] = kept; }
    if (tid == 0u && kept == 0u) {
      state[at + 1u] = 0u;
      state[at + 2u] = 0u;
    }
    if (tid == 0u && (kept == 0u || p.two == 0u)) {
      state[at + 3u] = 0u;
      state[at + 4u] = 0u;
    }
  }
  if (rank.x >= before.x && rank.x - before.x < sum.x) {
    descend(first.x, head.x, rank.x - before.x, at + 1u);
  }
  if (p.two != 0u && rank.y >= before.y && rank.y - before.y < sum.y) {
    descend(first.y, head.y, rank.y - before.y, at + 3u);
  }
  if (DIGIT == 2u) { return; }
  storageBarrier();
  for (var i = tid; i < (1u + p.two) * BINS; i += WG) { counters[bins_at(row, 0u) + i] = 0u; }
}
