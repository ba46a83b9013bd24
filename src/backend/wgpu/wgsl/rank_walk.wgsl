// A walk by digits in one workgroup: over a row, or over a list of its candidates.
const SWEEP: u32 = WG * 16u;
const EACH: u32 = (BINS + WG - 1u) / WG;

fn clear_bins() {
  workgroupBarrier();
  for (var i = tid; i < BINS; i += WG) { atomicStore(&bins[i], 0u); }
  workgroupBarrier();
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

// The keys of both ranks from their first digits on: the lower's, the higher's.
fn walk(s: Source, from_low: Bucket, from_high: Bucket) -> array<Bucket, 2> {
  var low = from_low;
  var high = from_high;
  for (var digit = 1u; digit < 3u; digit++) {
    let bits = select(11u, 10u, digit == 2u);
    let heads = vec2(low.head, high.head);
    for (var i = 0u; i <= p.two; i++) {  // the higher one, then the lower one
      let head = select(heads.x, heads.y, i == 0u);
      if (i == 0u || heads.x != heads.y) { count_digit(s, head, 20u - 10u * digit, bits); }
      let sum = own_sum();
      let before = prefix(vec2(sum, 0u)).x;
      let rank = select(low.rank, high.rank, i == 0u);
      let next = choose_from(head, bits, rank, sum, before);
      if (i == 0u) { high = next; } else { low = next; }
    }
  }
  return array(low, high);
}
