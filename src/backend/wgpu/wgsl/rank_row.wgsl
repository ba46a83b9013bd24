// Selects from whole rows, a workgroup each. A sample of the row brackets the wanted ranks, one read
// lists what is inside; a short list is sorted, a longer one walked by digits. Where the bracket
// misses, the walk reads the row itself.
@group(0) @binding(6) var<storage, read_write> state: array<u32>;

// A list in order, of elements behind `below` others, of `all` participants.
struct List {
  n: u32,
  below: u32,
  all: u32,
}

fn inside4(key: vec4<u32>, present: vec4<bool>, low: u32, high: u32) -> vec4<bool> {
  let head = key >> vec4(21u);
  return present & (head >= vec4(low)) & (head <= vec4(high));
}

// Lists the elements whose first digits lie between.
fn list_candidates(row: u32, low: u32, high: u32) -> List {
  let n = p.cols;
  let first = p.x + row * n;
  var listed = 0u;
  var counts = vec2(0u);
  for (var sweep = 0u; sweep < n; sweep += SWEEP) {
    let at = sweep + tid * 4u;
    let key = fours_at(first, at, n);
    let here = Marks(present4(key.a, at, n), present4(key.b, at + WG * 4u, n),
                     present4(key.c, at + WG * 8u, n), present4(key.d, at + WG * 12u, n));
    if (p.two != 0u) {
      counts.x += number(here.a & (key.a < vec4(low << 21u)));
      counts.x += number(here.b & (key.b < vec4(low << 21u)));
      counts.x += number(here.c & (key.c < vec4(low << 21u)));
      counts.x += number(here.d & (key.d < vec4(low << 21u)));
      counts.y += number(here.a) + number(here.b) + number(here.c) + number(here.d);
    }
    let keep = Marks(inside4(key.a, here.a, low, high), inside4(key.b, here.b, low, high),
                     inside4(key.c, here.c, low, high), inside4(key.d, here.d, low, high));
    listed = list_sweep(key, keep, at, row * p.cap, listed);
  }
  let sums = prefix(counts);
  storageBarrier();
  return List(listed, sums.z, sums.w);
}

// Counts the first digits of four elements a thread, evenly spread.
fn count_sample(first: u32) {
  let fours = p.cols / 4u;
  let at = tid * max(1u, fours / WG) * 4u;
  let taken = select(0u, 4u, tid < fours);
  tally_first(ordered4(load4(first + at, taken)), 4u - taken, 4u);
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

// Whether a list of what the sample has between its buckets is expected to be too long.
fn is_crowded(rank: vec2<u32>, low: Bucket, high: Bucket, taken: u32) -> bool {
  let inside = rank.y - high.rank + high.count - (rank.x - low.rank);
  return f32(inside) * f32(p.cols) > 0.9 * f32(p.cap) * f32(taken);
}

fn composite(i: u32) -> vec2<u32> { return vec2(atomicLoad(&bins[i]), atomicLoad(&bins[i + 1024u])); }

fn less(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }

// Sorts a list of at most 1024 elements where the bins are.
fn sort_list(row: u32, n: u32) {
  let size_all = 1u << (32u - countLeadingZeros(max(n, 2u) - 1u));
  workgroupBarrier();
  for (var i = tid; i < size_all; i += WG) {
    var own = vec2(NONE);
    if (i < n) { own = vec2(keys[p.keys + row * p.cap + i], columns[p.columns + row * p.cap + i]); }
    atomicStore(&bins[i], own.x);
    atomicStore(&bins[i + 1024u], own.y);
  }
  for (var size = 2u; size <= size_all; size *= 2u) {
    for (var step = size / 2u; step > 0u; step /= 2u) {
      workgroupBarrier();
      for (var i = tid; i < size_all / 2u; i += WG) {
        let a = 2u * i - (i & (step - 1u));
        let first = composite(a);
        let second = composite(a + step);
        if (less(second, first) == ((a & size) == 0u)) {
          atomicStore(&bins[a], second.x);
          atomicStore(&bins[a + 1024u], second.y);
          atomicStore(&bins[a + step], first.x);
          atomicStore(&bins[a + step + 1024u], first.y);
        }
      }
    }
  }
  workgroupBarrier();
}

// Writes the elements of a short list at the ranks from `rank` on.
fn put_short(row: u32, n: u32, rank: u32, kept: u32) {
  sort_list(row, n);
  if (p.sorted != 0u) {
    for (var i = tid; i < kept; i += WG) { put(row, i, atomicLoad(&bins[rank + i + 1024u])); }
    return;
  }
  let low = composite(rank);
  let high = composite(rank + kept - 1u);
  var done = 0u;
  for (var begin = 0u; begin < n; begin += WG) {
    let i = row * p.cap + begin + tid;
    var keep = false;
    var own = vec2(0u);
    if (begin + tid < n) {
      own = vec2(keys[p.keys + i], columns[p.columns + i]);
      keep = !less(own, low) && !less(high, own);
    }
    let sums = prefix(vec2(u32(keep), 0u));
    if (keep) { put(row, done + sums.x, own.y); }
    done += sums.z;
  }
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
  var digit = 0u;
  for (var attempt = 0u; attempt < 2u; attempt++) {  // by a sample, then by the row
    clear_bins();
    if (attempt == 0u) { count_sample(first); } else { count_row(first); }
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
    if (attempt == 0u && is_crowded(wanted, low, high, sums.z)) { continue; }
    let list = list_candidates(row, low.head, high.head);
    if (attempt > 0u) {
      if (list.n <= p.cap) { s = Source(list.n, row * p.cap, 0u, true); }
      digit = 1u;
      break;
    }
    if (p.two != 0u) {
      kept = min(p.k, list.all);
      rank = (list.all - kept) / 2u;
    }
    let misses = rank < list.below || rank - list.below + kept > list.n;
    if (list.n > p.cap || kept == 0u || misses) { continue; }
    rank -= list.below;
    s = Source(list.n, row * p.cap, 0u, true);
    low.rank = rank;
    high.rank = rank + kept - 1u;
    break;
  }
  put_missing(row, kept + tid, WG);
  if (kept == 0u) { return; }
  if (s.listed && digit == 0u && s.n <= 1024u) {
    put_short(row, s.n, rank, kept);
    if (tid == 0u) { state[p.state + row] = 1u; }
    return;
  }
  if (digit == 0u) {
    low.head = 0u;
    high.head = 0u;
  }
  let ends = walk(s, low, high, digit);
  put_all(row, s, vec3(0u),
          Bounds(kept, ends[1].head, ends[1].rank, ends[0].head, ends[0].rank));
}
