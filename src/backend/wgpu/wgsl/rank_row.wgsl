// Selects from whole rows, a workgroup each: the walk, the candidates and the compaction.
const SWEEP: u32 = WG * 16u;
const EACH: u32 = (BINS + WG - 1u) / WG;

fn clear_bins() {
  workgroupBarrier();
  for (var i = tid; i < BINS; i += WG) { atomicStore(&bins[i], 0u); }
  workgroupBarrier();
}

// Counts the first digit.
fn count_first(first: u32, n: u32) {
  clear_bins();
  for (var sweep = 0u; sweep < n; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    let a = load4(first + at, left_of(at, n));
    let b = load4(first + at + WG * 4u, left_of(at + WG * 4u, n));
    let c = load4(first + at + WG * 8u, left_of(at + WG * 8u, n));
    let d = load4(first + at + WG * 12u, left_of(at + WG * 12u, n));
    tally_first(a, at, n);
    tally_first(b, at + WG * 4u, n);
    tally_first(c, at + WG * 8u, n);
    tally_first(d, at + WG * 12u, n);
  }
  workgroupBarrier();
}

fn tally_first(raw: vec4<u32>, at: u32, n: u32) {
  let key = ordered4(raw);
  tally(select(vec4(NONE), key >> vec4(21u), present4(key, at, n)), 1u);
}

// Counts a later digit of the elements whose higher bits are `head`.
fn count_digit(s: Source, head: u32, shift: u32, bits: u32) {
  clear_bins();
  for (var sweep = 0u; sweep < s.n; sweep += WG * 4u) {
    let at = sweep + tid * 4u;
    let key = keys_at(s, at);
    let inside = present4(key, at, s.n) & ((key >> vec4(shift + bits)) == vec4(head));
    tally(select(vec4(NONE), (key >> vec4(shift)) & vec4((1u << bits) - 1u), inside), 1u);
  }
  workgroupBarrier();
}

// Elements counted by this thread's bins.
fn own_sum() -> u32 {
  var sum = 0u;
  for (var i = tid * EACH; i < min(BINS, tid * EACH + EACH); i++) { sum += atomicLoad(&bins[i]); }
  return sum;
}

var<workgroup> chosen: vec2<u32>;

// The bucket that holds an ascending rank, as a further digit of the head, and the rank inside.
fn choose(head: u32, bits: u32, rank: u32) -> vec2<u32> {
  let sum = own_sum();
  let before = prefix(vec2(sum, 0u)).x;
  if (rank >= before && rank - before < sum) {
    var rest = rank - before;
    var bucket = tid * EACH;
    loop {
      let count = atomicLoad(&bins[bucket]);
      if (rest < count) { break; }
      rest -= count;
      bucket++;
    }
    chosen = vec2((head << bits) | bucket, rest);
  }
  workgroupBarrier();
  return chosen;
}

// Lists the elements whose first digits lie between; how many there are.
fn list_candidates(row: u32, low: u32, high: u32) -> u32 {
  let n = p.cols;
  let first = p.x + row * n;
  var listed = 0u;
  for (var sweep = 0u; sweep < n; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    var key: array<vec4<u32>, 4>;
    var keep: array<vec4<bool>, 4>;
    key[0] = load4(first + at, left_of(at, n));
    key[1] = load4(first + at + WG * 4u, left_of(at + WG * 4u, n));
    key[2] = load4(first + at + WG * 8u, left_of(at + WG * 8u, n));
    key[3] = load4(first + at + WG * 12u, left_of(at + WG * 12u, n));
    for (var i = 0u; i < 4u; i++) {
      key[i] = ordered4(key[i]);
      let head = key[i] >> vec4(21u);
      keep[i] = present4(key[i], at + WG * 4u * i, n) & (head >= vec4(low)) & (head <= vec4(high));
    }
    listed = list_sweep(key, keep, at, row * p.cap, listed);
  }
  return listed;
}

// One further digit of both ranks' keys.
fn descend(s: Source, from_low: vec2<u32>, from_high: vec2<u32>, shift: u32, bits: u32)
    -> array<vec2<u32>, 2> {
  count_digit(s, from_high.x, shift, bits);
  let high = choose(from_high.x, bits, from_high.y);
  if (p.two == 0u) { return array(vec2(0u), high); }
  if (from_low.x != from_high.x) { count_digit(s, from_low.x, shift, bits); }
  return array(choose(from_low.x, bits, from_low.y), high);
}

fn run(row: u32) {
  if (row >= p.count) { return; }
  let first = p.x + row * p.cols;
  count_first(first, p.cols);
  let all_parts = prefix(vec2(own_sum(), 0u)).z;
  let kept = min(p.k, all_parts);
  put_missing(row, kept + tid, WG);
  if (kept == 0u) { return; }
  let rank = select(0u, (all_parts - kept) / 2u, p.two != 0u);
  let high = choose(0u, 11u, rank + kept - 1u);
  var low = vec2(0u);
  if (p.two != 0u) { low = choose(0u, 11u, rank); }
  let listed = list_candidates(row, low.x, high.x);
  var s = Source(p.cols, first, 0u, false);
  if (listed <= p.cap) { s = Source(listed, row * p.cap, 0u, true); }
  storageBarrier();
  let second = descend(s, low, high, 10u, 11u);
  let third = descend(s, second[0], second[1], 0u, 10u);
  put_all(row, s, vec3(0u), Bounds(kept, third[1].x, third[1].y, third[0].x, third[0].y));
}
