// A walk by digits in one workgroup: over a row, or over a list of its candidates.
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
    let key = fours_at(first, at, n);
    tally_first(key.a, at, n);
    tally_first(key.b, at + WG * 4u, n);
    tally_first(key.c, at + WG * 8u, n);
    tally_first(key.d, at + WG * 12u, n);
  }
  workgroupBarrier();
}

fn tally_first(key: vec4<u32>, at: u32, n: u32) {
  tally(select(vec4(NONE), key >> vec4(21u), present4(key, at, n)), 1u);
}

// Counts a later digit of the elements whose higher bits are `head`.
fn count_digit(s: Source, head: u32, shift: u32, bits: u32) {
  clear_bins();
  for (var sweep = 0u; sweep < s.n; sweep += WG * 4u) {
    let at = sweep + tid * 4u;
    let key = keys_at(s, at);
    let inside = present4(key, at, s.n) & ((key >> vec4(shift) >> vec4(bits)) == vec4(head));
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

var<workgroup> chosen: array<u32, 3>;

// A bucket as a further digit of the head, the wanted rank inside it, and its elements.
struct Bucket {
  head: u32,
  rank: u32,
  count: u32,
}

// The bucket that holds an ascending rank; `before` elements are in other threads' lower bins.
fn choose_from(head: u32, bits: u32, rank: u32, sum: u32, before: u32) -> Bucket {
  workgroupBarrier();
  if (rank >= before && rank - before < sum) {
    var rest = rank - before;
    var bucket = tid * EACH;
    var count = atomicLoad(&bins[bucket]);
    while (rest >= count) {
      rest -= count;
      bucket++;
      count = atomicLoad(&bins[bucket]);
    }
    chosen[0] = (head << bits) | bucket;
    chosen[1] = rest;
    chosen[2] = count;
  }
  workgroupBarrier();
  return Bucket(chosen[0], chosen[1], chosen[2]);
}

fn choose(head: u32, bits: u32, rank: u32) -> Bucket {
  let sum = own_sum();
  return choose_from(head, bits, rank, sum, prefix(vec2(sum, 0u)).x);
}

// One further digit of both ranks' keys: the lower's, the higher's.
struct Pair {
  low: Bucket,
  high: Bucket,
}

fn descend(s: Source, last: Pair, shift: u32, bits: u32) -> Pair {
  count_digit(s, last.high.head, shift, bits);
  var next: Pair;
  next.high = choose(last.high.head, bits, last.high.rank);
  if (p.two == 0u) { return next; }
  if (last.low.head != last.high.head) { count_digit(s, last.low.head, shift, bits); }
  next.low = choose(last.low.head, bits, last.low.rank);
  return next;
}
