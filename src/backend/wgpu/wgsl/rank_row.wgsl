// Selects from whole rows, a workgroup each. A sample of the row brackets the wanted ranks; one read
// gathers what is inside, where it is short, to be sorted. Else, and where the bracket misses, the
// row's own digits are counted, candidates are listed and the walk goes on.
@group(0) @binding(6) var<storage, read_write> state: array<u32>;

const SHORT: u32 = 1024u;
var<workgroup> gathered: atomic<u32>;

// Gathers those of four elements that lie between, unordered, where the bins were.
fn gather4(key: vec4<u32>, at: u32, low: u32, high: u32) {
  let keep = (key >= vec4(low)) & (key <= vec4(high));
  if (!any(keep)) { return; }
  let inside = keep & present4(key, at, p.cols);
  if (inside.x) { gather1(key.x, at); }
  if (inside.y) { gather1(key.y, at + 1u); }
  if (inside.z) { gather1(key.z, at + 2u); }
  if (inside.w) { gather1(key.w, at + 3u); }
}

fn gather1(key: u32, column: u32) {
  let to = atomicAdd(&gathered, 1u);
  if (to < SHORT) {
    atomicStore(&bins[to], key);
    atomicStore(&bins[to + SHORT], column);
  }
}

// Participants below and in all.
fn count4(key: vec4<u32>, at: u32, low: u32) -> vec2<u32> {
  let present = present4(key, at, p.cols);
  return vec2(number(present & (key < vec4(low))), number(present));
}

// Gathers a row's elements between two keys: how many there are, how many below, participants.
fn gather(first: u32, low: u32, high: u32) -> vec3<u32> {
  workgroupBarrier();
  if (tid == 0u) { atomicStore(&gathered, 0u); }
  workgroupBarrier();
  var counts = vec2(0u);
  for (var sweep = 0u; sweep < p.cols; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    let key = fours_at(first, at, p.cols);
    gather4(key.a, at, low, high);
    gather4(key.b, at + WG * 4u, low, high);
    gather4(key.c, at + WG * 8u, low, high);
    gather4(key.d, at + WG * 12u, low, high);
    if (p.two != 0u) {
      counts += count4(key.a, at, low) + count4(key.b, at + WG * 4u, low);
      counts += count4(key.c, at + WG * 8u, low) + count4(key.d, at + WG * 12u, low);
    }
  }
  let sums = prefix(counts);
  return vec3(atomicLoad(&gathered), sums.zw);
}

// Lists a row's elements whose first digits lie between, in order; how many there are.
fn list_candidates(row: u32, low: u32, high: u32) -> u32 {
  let n = p.cols;
  var listed = 0u;
  for (var sweep = 0u; sweep < n; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    let key = fours_at(p.x + row * n, at, n);
    let keep = Marks(inside4(key.a, at, low, high), inside4(key.b, at + WG * 4u, low, high),
                     inside4(key.c, at + WG * 8u, low, high),
                     inside4(key.d, at + WG * 12u, low, high));
    listed = list_sweep(key, keep, at, row * p.cap, listed);
  }
  storageBarrier();
  return listed;
}

fn inside4(key: vec4<u32>, at: u32, low: u32, high: u32) -> vec4<bool> {
  let head = key >> vec4(21u);
  return present4(key, at, p.cols) & (head >= vec4(low)) & (head <= vec4(high));
}

// A thread's part of a sample of the row: up to four fours, evenly spread.
struct Sample {
  key: Fours,
  taken: Marks,
}

fn sample_of(first: u32) -> Sample {
  let fours = p.cols / 4u;
  let rounds = clamp(fours / (WG * 4u), 1u, 4u);
  let step = max(1u, fours / (WG * rounds));
  let place = vec4(tid, tid + WG, tid + 2u * WG, tid + 3u * WG);
  let at = place * step * 4u;
  let taken = (place < vec4(WG * rounds)) & (place * step < vec4(fours));
  let left = select(vec4(0u), vec4(4u), taken);
  let key = Fours(ordered4(load4(first + at.x, left.x)), ordered4(load4(first + at.y, left.y)),
                  ordered4(load4(first + at.z, left.z)), ordered4(load4(first + at.w, left.w)));
  let from_at = vec4(4u) - left;
  return Sample(key, Marks(present4(key.a, from_at.x, 4u), present4(key.b, from_at.y, 4u),
                           present4(key.c, from_at.z, 4u), present4(key.d, from_at.w, 4u)));
}

// Counts a digit of the sample's elements whose higher bits are `head`.
fn count_sample(s: Sample, head: u32, shift: u32) {
  tally_digit(s.key.a, s.taken.a, head, shift);
  tally_digit(s.key.b, s.taken.b, head, shift);
  tally_digit(s.key.c, s.taken.c, head, shift);
  tally_digit(s.key.d, s.taken.d, head, shift);
}

fn tally_digit(key: vec4<u32>, taken: vec4<bool>, head: u32, shift: u32) {
  let inside = taken & ((key >> vec4(shift) >> vec4(11u)) == vec4(head));
  tally(select(vec4(NONE), (key >> vec4(shift)) & vec4(2047u), inside), 1u);
}

// The bucket of the second digit that holds the rank inside one of the first.
fn refine(s: Sample, bucket: Bucket) -> Bucket {
  clear_bins();
  count_sample(s, bucket.head, 10u);
  workgroupBarrier();
  let sum = own_sum();
  return choose_from(bucket.head, 11u, bucket.rank, sum, prefix(vec2(sum, 0u)).x);
}

// Counts the first digits of the row.
fn count_row(first: u32) {
  for (var sweep = 0u; sweep < p.cols; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    let key = fours_at(first, at, p.cols);
    tally_first(key.a, at, p.cols);
    tally_first(key.b, at + WG * 4u, p.cols);
    tally_first(key.c, at + WG * 8u, p.cols);
    tally_first(key.d, at + WG * 12u, p.cols);
  }
}

fn tally_first(key: vec4<u32>, at: u32, n: u32) {
  tally(select(vec4(NONE), key >> vec4(21u), present4(key, at, n)), 1u);
}

// Ranks of a sample between which the wanted ones lie with great probability; NONE: there are none.
fn sample_ranks(taken: u32) -> vec2<u32> {
  let size = f32(taken);
  let wanted = f32(p.k) * size / f32(p.cols);
  var low = 0.0;
  var high = wanted + 4.0 * sqrt(wanted) + 4.0;
  if (p.two != 0u) {
    low = floor(0.5 * (size - wanted) - 2.0 * sqrt(size) - 4.0);
    high = ceil(0.5 * (size + wanted) + 2.0 * sqrt(size) + 4.0);
  }
  if (high >= size || low < 0.0) { return vec2(NONE); }
  return vec2(u32(low), u32(high));
}

// Whether what the sample has between its buckets is more than a short list, in proportion.
fn is_crowded(rank: vec2<u32>, low: Bucket, high: Bucket, taken: u32) -> bool {
  let inside = rank.y - high.rank + high.count - (rank.x - low.rank);
  return f32(inside) * f32(p.cols) > 0.8 * f32(SHORT) * f32(taken);
}

fn composite(i: u32) -> vec2<u32> {
  return vec2(atomicLoad(&bins[i]), atomicLoad(&bins[i + SHORT]));
}

fn set_composite(i: u32, value: vec2<u32>) {
  atomicStore(&bins[i], value.x);
  atomicStore(&bins[i + SHORT], value.y);
}

fn less(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }

// Sorts the first n composites.
fn sort_short(n: u32) {
  let all_sizes = 1u << (32u - countLeadingZeros(max(n, 2u) - 1u));
  workgroupBarrier();
  for (var i = n + tid; i < all_sizes; i += WG) { set_composite(i, vec2(NONE)); }
  for (var size = 2u; size <= all_sizes; size *= 2u) {
    for (var step = size / 2u; step > 0u; step /= 2u) {
      workgroupBarrier();
      for (var i = tid; i < all_sizes / 2u; i += WG) {
        let at = 2u * i - (i & (step - 1u));
        let a = composite(at);
        let b = composite(at + step);
        if (less(b, a) == ((at & size) == 0u)) {
          set_composite(at, b);
          set_composite(at + step, a);
        }
      }
    }
  }
  workgroupBarrier();
}

// Writes what was gathered at the ranks from `rank` on.
fn put_short(row: u32, n: u32, from_rank: u32, kept: u32) {
  var rank = from_rank;
  for (var round = p.sorted; round < 2u; round++) {  // by key, then by column
    if (p.sorted == 0u && round == 1u) {
      for (var i = tid; i < n; i += WG) {
        let inside = i >= rank && i - rank < kept;
        atomicStore(&bins[i], select(NONE, atomicLoad(&bins[i + SHORT]), inside));
      }
      rank = 0u;
    }
    sort_short(n);
  }
  for (var i = tid; i < kept; i += WG) { put(row, i, atomicLoad(&bins[rank + i + SHORT])); }
}

fn run(row: u32) {
  if (row >= p.count) { return; }
  let first = p.x + row * p.cols;
  if (tid == 0u) { state[p.state + row] = 0u; }
  var s = Source(p.cols, first, 0u, false);
  var kept = p.k;
  var rank = 0u;
  var low = Bucket(0u, 0u, 0u);
  var high = low;
  var short = 0u;
  let sample = sample_of(first);
  for (var attempt = 0u; attempt < 2u; attempt++) {  // by a sample, then by the row
    clear_bins();
    if (attempt == 0u) { count_sample(sample, 0u, 21u); } else { count_row(first); }
    workgroupBarrier();
    let sum = own_sum();
    let sums = prefix(vec2(sum, 0u));
    var wanted = sample_ranks(sums.z);
    if (attempt > 0u) {
      kept = min(p.k, sums.z);
      rank = select(0u, (sums.z - kept) / 2u, p.two != 0u);
      wanted = vec2(rank, rank + max(kept, 1u) - 1u);
      if (kept == 0u) { break; }
    }
    if (wanted.y == NONE) { continue; }
    high = choose_from(0u, 11u, wanted.y, sum, sums.x);
    if (p.two != 0u) { low = choose_from(0u, 11u, wanted.x, sum, sums.x); }
    if (attempt > 0u) {
      let listed = list_candidates(row, low.head, high.head);
      if (listed <= p.cap) { s = Source(listed, row * p.cap, 0u, true); }
      break;
    }
    for (var i = 0u; i <= p.two; i++) {
      let bucket = refine(sample, Bucket(select(low.head, high.head, i == 0u),
                                         select(low.rank, high.rank, i == 0u), 0u));
      if (i == 0u) { high = bucket; } else { low = bucket; }
    }
    if (is_crowded(wanted, low, high, sums.z)) { continue; }
    let found = gather(first, low.head << 10u, (high.head << 10u) | 1023u);
    if (p.two != 0u) {
      kept = min(p.k, found.z);
      rank = (found.z - kept) / 2u;
    }
    let misses = rank < found.y || rank - found.y + kept > found.x;
    if (found.x > SHORT || kept == 0u || misses) { continue; }
    short = found.x;
    rank -= found.y;
    break;
  }
  put_missing(row, kept + tid, WG);
  if (kept == 0u) { return; }
  if (short > 0u) {
    put_short(row, short, rank, kept);
    if (tid == 0u) { state[p.state + row] = 1u; }
    return;
  }
  let ends = walk(s, low, high);
  put_all(row, s, vec3(0u),
          Bounds(kept, ends[1].head, ends[1].rank, ends[0].head, ends[0].rank));
}
