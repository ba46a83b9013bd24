#include <algorithm>
#include <new>

#include "backend/cpu/rank_job.hpp"

// Radix selection on the CPU: a bracket from a sample lists few candidates in one read; a walk by
// digits (11, 11, 10 bits) finds the boundary keys among them, or in the row where the bracket
// missed; an ordered compaction keeps what is wanted.
namespace spiraltorch::cpu {
namespace {

struct RadixParts {
  std::uint32_t* sample;
  std::uint32_t* values;
  std::uint32_t* index;
  std::uint32_t* counters;
  std::uint32_t* scratch;
  std::uint32_t* survivors;
  std::uint32_t* sort;
};

RadixParts radix_parts(const RankJob& job, std::int64_t slot) {
  const std::int64_t list = rank_list_words(job.layout.capacity);
  RankScratch s(job.worker(slot));
  RadixParts w{};
  w.sample = s.take(2 * job.layout.sample + kRankPad);
  w.values = s.take(list);
  w.index = s.take(list);
  w.counters = s.take(kHistogramWords);
  w.scratch = s.take(kHistogramWords);
  w.survivors = s.take(rank_survivor_words(job.plan.k_effective));
  w.sort = s.take(rank_sort_words(job.plan.k_effective));
  return w;
}

// What a piece of a split row hands on; a whole row is one piece in its worker's scratch.
struct PieceParts {
  std::uint32_t* values;
  std::uint32_t* index;
  std::uint32_t* counters;  // two targets of 2048
  std::uint32_t* survivors;
  BracketCount* count;
};

PieceParts piece_parts(const RankJob& job, std::int64_t r, std::int64_t p) {
  const std::int64_t list = rank_list_words(job.layout.capacity);
  RankScratch s(job.piece(r, p));
  PieceParts out{};
  out.values = s.take(list);
  out.index = s.take(list);
  out.counters = s.take(kHistogramWords / 2);
  out.survivors = s.take(rank_survivor_words(job.plan.k_effective));
  out.count = reinterpret_cast<BracketCount*>(s.take(16));
  return out;
}

PieceParts piece_of_worker(const RadixParts& w, BracketCount& count) {
  return {w.values, w.index, w.counters, w.survivors, &count};
}

// A row's walk: the wanted ascending ranks, narrowed digit by digit.
struct Walk {
  Bracket bracket;
  bool listed;          // candidates stand in lists; else the row itself is walked
  bool all;             // every participant is wanted
  std::int64_t wanted;  // t
  int targets;
  std::uint32_t prefix[2];
  std::int64_t rank[2];   // within the prefix
  std::int64_t equal[2];  // after the last digit: elements with the key
};
static_assert(sizeof(Walk) <= 64 * 4);

// Which ranks are wanted, once m is known; `below` participants precede what is walked.
void set_targets(const RankJob& job, Walk& walk, std::int64_t m, std::int64_t below) {
  walk.wanted = std::min(job.plan.k_effective, m);
  walk.all = walk.wanted == m;
  walk.prefix[0] = walk.prefix[1] = 0;
  const std::int64_t first = job.central ? (m - walk.wanted) / 2 : m - walk.wanted;
  walk.rank[0] = first - below;
  walk.rank[1] = first + walk.wanted - 1 - below;
  walk.targets = job.central && walk.wanted > 1 ? 2 : 1;
}

// After the bracket: whether all wanted ranks are among the candidates.
void settle_bracket(const RankJob& job, Walk& walk, const BracketCount& total, bool complete) {
  walk.listed = false;
  if (!complete) return;
  set_targets(job, walk, total.valid, total.below);
  const std::int64_t last = job.central ? walk.rank[1] : walk.rank[0] + walk.wanted - 1;
  walk.listed = walk.wanted > 0 && walk.rank[0] >= 0 && last < total.inside;
}

RankRun run_of(const RankJob& job, const Walk& walk, std::int64_t r, std::int64_t begin,
               std::int64_t size, const PieceParts& piece) {
  if (walk.listed) {
    return {reinterpret_cast<const float*>(piece.values), piece.index, piece.count->inside, 0};
  }
  return {job.row(r) + begin, nullptr, size, static_cast<std::uint32_t>(begin)};
}

bool shares_prefix(const Walk& walk) {
  return walk.targets == 1 || walk.prefix[0] == walk.prefix[1];
}

// Counts one digit of one piece for each distinct prefix.
void count_digit(const RankJob& job, const Walk& walk, int digit, const RankRun& run,
                 std::uint32_t* counters, std::uint32_t* scratch) {
  const int lists = shares_prefix(walk) ? 1 : 2;
  std::fill(counters, counters + 2 * kDigitCounters, 0U);
  for (int i = 0; i < lists; ++i) {
    job.simd.histogram(job.select, run, digit, walk.prefix[i], counters + i * kDigitCounters,
                       scratch);
  }
}

// Chooses each target's bucket. `count(list, bucket)` sums the pieces' counters.
template <class Count>
void choose_digit(const RankJob& job, Walk& walk, int digit, Count count) {
  if (digit == 0 && !walk.listed) {
    std::int64_t m = 0;
    for (std::uint32_t b = 0; b < kDigitCounters; ++b) m += count(0, b);
    set_targets(job, walk, m, 0);
  }
  if (walk.wanted == 0) return;
  const bool shared = shares_prefix(walk);
  for (int i = 0; i < walk.targets; ++i) {
    walk.equal[i] = descend(digit, walk.rank[i], walk.prefix[i],
                            [&](std::uint32_t b) { return count(shared ? 0 : i, b); });
  }
}

// The bounds of one piece; `lo` and `hi` are copies of the boundary keys in earlier pieces and in
// this one.
RankBounds bounds_of(const RankJob& job, const Walk& walk, std::int64_t lo_before,
                     std::int64_t lo_here, std::int64_t hi_before) {
  RankBounds b;
  b.all = walk.all;
  b.lo = walk.prefix[0];
  std::int64_t from = 0;  // wanted copies of `lo` in index order: [from, to)
  std::int64_t to = walk.equal[0] - walk.rank[0];
  if (job.central) {
    b.has_hi = true;
    b.hi = walk.prefix[walk.targets - 1];
    from = walk.rank[0];
    to = b.hi == b.lo ? walk.rank[walk.targets - 1] + 1 : walk.equal[0];
    b.hi_take = std::max<std::int64_t>(0, walk.rank[walk.targets - 1] + 1 - hi_before);
  }
  b.lo_skip = std::clamp<std::int64_t>(from - lo_before, 0, lo_here);
  b.lo_take = std::clamp<std::int64_t>(to - lo_before, 0, lo_here) - b.lo_skip;
  b.lo_take = std::max<std::int64_t>(0, b.lo_take);
  return b;
}

void radix_row(const RankJob& job, std::int64_t r, const RadixParts& w) {
  BracketCount count{0, 0, 0};
  const PieceParts piece = piece_of_worker(w, count);
  Walk walk{};
  if (job.layout.sample > 0) {
    walk.bracket = job.simd.bracket(job.select, job.central, job.row(r), job.cols(),
                                    job.plan.k_effective, job.layout.sample, w.sample);
    if (walk.bracket.usable) {
      count = job.simd.collect(job.select, {job.row(r), nullptr, job.cols(), 0}, walk.bracket,
                               reinterpret_cast<float*>(w.values), w.index, job.layout.capacity);
    }
    settle_bracket(job, walk, count, walk.bracket.usable && count.inside >= 0);
  }
  const RankRun run = run_of(job, walk, r, 0, job.cols(), piece);
  for (int digit = 0; digit < kDigits; ++digit) {
    count_digit(job, walk, digit, run, w.counters, w.scratch);
    choose_digit(job, walk, digit, [&](int list, std::uint32_t b) -> std::int64_t {
      return w.counters[list * kDigitCounters + b];
    });
    if (walk.wanted == 0) return finish_row(job, r, w.survivors, 0, w.sort);
  }
  const std::int64_t n =
      job.simd.compact(job.select, run, bounds_of(job, walk, 0, walk.equal[0], 0), w.survivors);
  finish_row(job, r, w.survivors, n, w.sort);
}

Walk& walk_of(const RankJob& job, std::int64_t r) {
  return *reinterpret_cast<Walk*>(job.row_state(r));
}

void radix_sample(const RankJob& job, std::int64_t r, std::int64_t slot) {
  walk_of(job, r).bracket =
      job.simd.bracket(job.select, job.central, job.row(r), job.cols(), job.plan.k_effective,
                       job.layout.sample, radix_parts(job, slot).sample);
}

void radix_bracket(const RankJob& job, std::int64_t r, std::int64_t p) {
  const PieceParts piece = piece_parts(job, r, p);
  *piece.count = {-1, 0, 0};
  const Bracket& bracket = walk_of(job, r).bracket;
  if (!bracket.usable) return;
  const std::int64_t begin = job.piece_begin(p);
  *piece.count = job.simd.collect(
      job.select,
      {job.row(r) + begin, nullptr, job.piece_size(p), static_cast<std::uint32_t>(begin)}, bracket,
      reinterpret_cast<float*>(piece.values), piece.index, job.layout.capacity);
}

void settle_row(const RankJob& job, std::int64_t r) {
  BracketCount total{0, 0, 0};
  bool complete = true;
  for (std::int64_t p = 0; p < job.layout.pieces; ++p) {
    const BracketCount& c = *piece_parts(job, r, p).count;
    complete = complete && c.inside >= 0;
    total.inside += c.inside;
    total.below += c.below;
    total.valid += c.valid;
  }
  settle_bracket(job, walk_of(job, r), total, complete);
}

void radix_digit(const RankJob& job, int digit, std::int64_t r, std::int64_t p, std::int64_t slot) {
  const Walk& walk = walk_of(job, r);
  if (digit > 0 && walk.wanted == 0) return;
  const PieceParts piece = piece_parts(job, r, p);
  const RankRun run = run_of(job, walk, r, job.piece_begin(p), job.piece_size(p), piece);
  count_digit(job, walk, digit, run, piece.counters, radix_parts(job, slot).scratch);
}

void choose_row(const RankJob& job, int digit, std::int64_t r) {
  Walk& walk = walk_of(job, r);
  choose_digit(job, walk, digit, [&](int list, std::uint32_t b) {
    std::int64_t sum = 0;
    for (std::int64_t p = 0; p < job.layout.pieces; ++p) {
      sum += piece_parts(job, r, p).counters[list * kDigitCounters + b];
    }
    return sum;
  });
}

// Copies of a target's key in the pieces before p, and in p: what the last digit counted.
struct KeyCopies {
  std::int64_t before = 0;
  std::int64_t here = 0;
};

KeyCopies copies_of(const RankJob& job, const Walk& walk, std::int64_t r, std::int64_t p,
                    int target) {
  // Until the last digit was chosen the targets shared counters where their upper bits agree.
  const bool shared = walk.targets == 1 || (walk.prefix[0] >> 10) == (walk.prefix[1] >> 10);
  const std::int64_t at = (shared ? 0 : target) * kDigitCounters + (walk.prefix[target] & 1023U);
  KeyCopies out;
  for (std::int64_t q = 0; q <= p; ++q) {
    const std::int64_t n = piece_parts(job, r, q).counters[at];
    (q < p ? out.before : out.here) += n;
  }
  return out;
}

void radix_compact(const RankJob& job, std::int64_t r, std::int64_t p) {
  const Walk& walk = walk_of(job, r);
  const PieceParts piece = piece_parts(job, r, p);
  std::int64_t kept = 0;
  if (walk.wanted > 0) {
    const RankRun run = run_of(job, walk, r, job.piece_begin(p), job.piece_size(p), piece);
    const KeyCopies lo = copies_of(job, walk, r, p, 0);
    const KeyCopies hi = copies_of(job, walk, r, p, walk.targets - 1);
    kept = job.simd.compact(job.select, run, bounds_of(job, walk, lo.before, lo.here, hi.before),
                            piece.survivors);
  }
  piece.count->below = kept;  // the bracket's own counts have served
}

void radix_merge(const RankJob& job, std::int64_t r, std::int64_t slot) {
  const RadixParts w = radix_parts(job, slot);
  std::int64_t n = 0;
  for (std::int64_t p = 0; p < job.layout.pieces; ++p) {
    const PieceParts piece = piece_parts(job, r, p);
    std::copy(piece.survivors, piece.survivors + piece.count->below, w.survivors + n);
    n += piece.count->below;
  }
  finish_row(job, r, w.survivors, n, w.sort);
}

}  // namespace

void radix_rows(const RankJob& job, std::int64_t task, std::int64_t slot) {
  const RadixParts w = radix_parts(job, slot);
  each_row(job, task, [&](std::int64_t r) { radix_row(job, r, w); });
}

void run_split_radix(const RankJob& job, Phases& phases, const char* sort) {
  const CpuRankLayout& l = job.layout;
  for_rows(job, [&](std::int64_t r) { new (job.row_state(r)) Walk{}; });
  if (l.sample > 0) {
    phases.run("radix_sample", "", job.rows(), l.merge_threads,
               [&](std::int64_t r, std::int64_t slot) { radix_sample(job, r, slot); });
    phases.run("radix_bracket", "", l.read_tasks, l.threads,
               by_piece(job, [&](std::int64_t r, std::int64_t p, std::int64_t) {
                 radix_bracket(job, r, p);
               }));
    for_rows(job, [&](std::int64_t r) { settle_row(job, r); });
  }
  constexpr const char* kNames[kDigits] = {"radix_digit0", "radix_digit1", "radix_digit2"};
  for (int digit = 0; digit < kDigits; ++digit) {
    phases.run(kNames[digit], "", l.read_tasks, l.threads,
               by_piece(job, [&](std::int64_t r, std::int64_t p, std::int64_t slot) {
                 radix_digit(job, digit, r, p, slot);
               }));
    for_rows(job, [&](std::int64_t r) { choose_row(job, digit, r); });
  }
  phases.run("radix_compact", "", l.read_tasks, l.threads,
             by_piece(job, [&](std::int64_t r, std::int64_t p, std::int64_t) {
               radix_compact(job, r, p);
             }));
  phases.run("radix_merge", sort, job.rows(), l.merge_threads,
             [&](std::int64_t r, std::int64_t slot) { radix_merge(job, r, slot); });
}

}  // namespace spiraltorch::cpu
