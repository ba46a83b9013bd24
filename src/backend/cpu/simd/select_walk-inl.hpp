// Selection by rank, per Highway target: ordered compaction, quickselect of a row, brackets from a
// sample, digit histograms. Included by select.cpp once per target.
#if defined(SPIRALTORCH_SELECT_WALK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SELECT_WALK_INL
#undef SPIRALTORCH_SELECT_WALK_INL
#else
#define SPIRALTORCH_SELECT_WALK_INL
#endif

#include <cmath>

#include "backend/cpu/simd/select_filter-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

// Counts down the copies of a boundary key: skip some, take some.
struct Copies {
  std::int64_t skip;
  std::int64_t take;
  HWY_INLINE bool next() {
    if (skip > 0) {
      --skip;
      return false;
    }
    if (take <= 0) return false;
    --take;
    return true;
  }
};

template <class K>
struct Compaction {
  RankRun run;
  RankBounds bounds;
  typename K::T lo;
  typename K::T hi;
  Copies lo_copies;
  Copies hi_copies;
  std::uint32_t* out;
  std::int64_t kept = 0;

  HWY_INLINE std::uint32_t index_at(std::int64_t i) const {
    return run.index != nullptr ? run.index[i] : run.base + static_cast<std::uint32_t>(i);
  }
  HWY_INLINE void one(std::int64_t i) {
    const auto v = K::key(run.values[i]);
    bool keep = false;
    if (!K::takes_part(v)) return;
    if (bounds.all) {
      keep = true;
    } else if (v == lo) {
      keep = lo_copies.next();
    } else if (bounds.has_hi && v == hi) {
      keep = hi_copies.next();
    } else {
      keep = v > lo && (!bounds.has_hi || v < hi);
    }
    if (keep) out[kept++] = index_at(i);
  }
};

// The copies in one vector as a mask, where they are all skipped or all taken; false otherwise.
template <class D, class M>
HWY_INLINE bool whole(D d, M equal, Copies& copies, M& mask) {
  const auto count = static_cast<std::int64_t>(hn::CountTrue(d, equal));
  if (count == 0) return true;
  if (copies.skip >= count) {
    copies.skip -= count;
    return true;
  }
  if (copies.skip > 0 || (copies.take > 0 && copies.take < count)) return false;
  if (copies.take > 0) {
    copies.take -= count;
    mask = hn::Or(mask, equal);
  }
  return true;
}

template <class K>
std::int64_t compact_of(const RankRun& run, const RankBounds& b, std::uint32_t* out) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  Compaction<K> c{run,
                  b,
                  K::from_unsigned(b.lo),
                  K::from_unsigned(b.hi),
                  {b.lo_skip, b.lo_take},
                  {0, b.hi_take},
                  out};
  const auto lo = hn::Set(d, c.lo);
  const auto hi = hn::Set(d, c.hi);
  std::int64_t i = 0;
  for (; i + lanes <= run.n; i += lanes) {
    const auto v = K::load(run.values + i);
    auto mask = hn::Gt(v, lo);
    if (b.all) {
      mask = K::valid(v);
    } else {
      if (b.has_hi) mask = hn::And(mask, hn::Lt(v, hi));
      const Copies before = c.lo_copies;
      bool split = !whole(d, hn::Eq(v, lo), c.lo_copies, mask);
      if (!split && b.has_hi && b.hi != b.lo) {
        split = !whole(d, hn::Eq(v, hi), c.hi_copies, mask);
        if (split) c.lo_copies = before;
      }
      if (split) {
        for (std::int64_t j = i; j < i + lanes; ++j) c.one(j);
        continue;
      }
      if (hn::AllFalse(d, mask)) continue;
    }
    const VU at = run.index != nullptr ? hn::LoadU(DU(), run.index + i)
                                       : hn::Iota(DU(), run.base + static_cast<std::uint32_t>(i));
    c.kept += pack(at, hn::RebindMask(DU(), mask), DU(), out + c.kept);
  }
  for (; i < run.n; ++i) c.one(i);
  return c.kept;
}

// Keys of the participants, in order; returns how many.
template <class K>
std::int64_t copy_keys(const float* x, std::int64_t n, typename K::T* out) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  std::int64_t kept = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = K::load(x + i);
    if (K::kHasNan && !hn::AllTrue(d, K::valid(v))) {
      kept += pack(v, K::valid(v), d, out + kept);
      continue;
    }
    hn::StoreU(v, d, out + kept);
    kept += lanes;
  }
  for (; i < n; ++i) {
    const auto v = K::key(x[i]);
    if (K::takes_part(v)) out[kept++] = v;
  }
  return kept;
}

// Bounds of the ascending ranks [first, first + t) from the keys at their ends.
template <class K>
RankBounds central_bounds(std::int64_t m, std::int64_t first, std::int64_t t,
                          const Kth<typename K::T>& low, const Kth<typename K::T>& high) {
  RankBounds b;
  b.has_hi = true;
  b.lo = K::to_unsigned(low.key);
  b.hi = K::to_unsigned(high.key);
  b.lo_skip = first - (m - low.above - low.equal);
  b.hi_take = first + t - (m - high.above - high.equal);
  b.lo_take = b.lo == b.hi ? b.hi_take - b.lo_skip : m;
  return b;
}

// Two ranks of one list, k_high ≤ k_low counted from the largest: partitioned together until a
// pivot separates them. Destroys both lists.
template <class D, class T>
void two_largest(D d, T* a, T* spare, std::int64_t n, std::int64_t k_high, std::int64_t k_low,
                 Kth<T>& high, Kth<T>& low) {
  constexpr std::int64_t kSmall = 64;
  std::int64_t above = 0;
  for (int round = 0; n > kSmall && round < 48; ++round) {
    const T pivot = pick_pivot(d, a, n, (k_high + k_low) / 2);
    const Standing s = standing(d, a, n, pivot);
    if (k_low <= s.above) {
      n = keep_side<true>(d, a, n, pivot);
    } else if (k_high > s.above + s.equal) {
      above += s.above + s.equal;
      k_high -= s.above + s.equal;
      k_low -= s.above + s.equal;
      n = keep_side<false>(d, a, n, pivot);
    } else {
      break;
    }
  }
  std::copy(a, a + n, spare);
  low = kth_largest(d, spare, n, k_low);
  high = kth_largest(d, a, n, k_high);
  low.above += above;
  high.above += above;
}

// The place of the copy of a key that follows `skip` others.
template <class K>
std::int64_t find_copy(const float* x, std::int64_t n, typename K::T key, std::int64_t skip) {
  std::int64_t at = find_key<K>(x, n, key);
  for (; skip > 0; --skip) at += 1 + find_key<K>(x + at + 1, n - at - 1, key);
  return at;
}

template <class K>
std::int64_t quickselect_of(bool central, const float* x, std::int64_t n, std::int64_t k,
                            const RankLists& lists, std::uint32_t* out) {
  using T = typename K::T;
  const typename K::D d;
  auto* keys = as_keys<T>(lists.values);
  const std::int64_t m = copy_keys<K>(x, n, keys);
  const std::int64_t t = std::min(k, m);
  if (t == 0) return 0;
  RankBounds b;
  if (t == m) {
    b.all = true;
  } else if (!central) {
    const Kth<T> kth = kth_largest(d, keys, m, t);
    b.lo = K::to_unsigned(kth.key);
    b.lo_take = t - kth.above;
  } else {
    const std::int64_t first = (m - t) / 2;
    if (t == 1) {
      const Kth<T> kth = kth_largest(d, keys, m, m - first);
      const std::int64_t skip = first - (m - kth.above - kth.equal);
      if (skip < 8) {
        out[0] = static_cast<std::uint32_t>(find_copy<K>(x, n, kth.key, skip));
        return 1;
      }
      b = central_bounds<K>(m, first, t, kth, kth);
    } else {
      Kth<T> high{};
      Kth<T> low{};
      two_largest(d, keys, as_keys<T>(lists.spare), m, m - first - t + 1, m - first, high, low);
      b = central_bounds<K>(m, first, t, low, high);
    }
  }
  return compact_of<K>({x, nullptr, n, 0}, b, out);
}

// Bracket by order statistics of a sample of evenly spaced runs of 16 elements: four standard
// deviations beyond the wanted ranks (Floyd & Rivest 1975).
template <class K>
Bracket bracket_of(bool central, const float* x, std::int64_t n, std::int64_t k,
                   std::int64_t sample, std::uint32_t* scratch) {
  using T = typename K::T;
  constexpr std::int64_t kRun = 16;
  const typename K::D d;
  auto* keys = as_keys<T>(scratch);
  const std::int64_t runs = sample / kRun;
  std::int64_t size = 0;
  for (std::int64_t r = 0; r < runs; ++r) {
    size +=
        copy_keys<K>(x + r * (n - kRun) / std::max<std::int64_t>(1, runs - 1), kRun, keys + size);
  }
  if (size < 64) return {false, 0, 0};
  const double share = static_cast<double>(size) / static_cast<double>(runs * kRun);
  const double m = share * static_cast<double>(n);
  const double t = std::min(static_cast<double>(k), m);
  const double first = central ? (m - t) / 2.0 : m - t;  // ascending ranks [first, first + t)
  const auto count = static_cast<double>(size);
  const auto rank_near = [&](double rank, double side) {
    const double p = std::clamp(rank / m, 0.0, 1.0);
    return p * count + side * (4.0 * std::sqrt(count * p * (1.0 - p)) + 8.0);
  };
  const double low = rank_near(first, -1.0);
  const double high = rank_near(first + t, 1.0);
  Bracket out{true, K::to_unsigned(K::lowest()), K::to_unsigned(K::highest())};
  // The ascending rank r of `size` keys is the (size − r)-th largest; the selection destroys its
  // list.
  auto* spare = as_keys<T>(scratch) + sample;
  std::copy(keys, keys + size, spare);
  if (central && high < count) {
    const auto at = std::max<std::int64_t>(1, size - static_cast<std::int64_t>(high));
    out.high = K::to_unsigned(kth_largest(d, spare, size, at).key);
  }
  if (low >= 0.0) {
    const auto at = std::max<std::int64_t>(1, size - static_cast<std::int64_t>(low));
    out.low = K::to_unsigned(kth_largest(d, keys, size, at).key);
  }
  return out;
}

template <class K>
BracketCount collect_of(const RankRun& run, const Bracket& bracket, float* values,
                        std::uint32_t* index, std::int64_t capacity) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  const auto low_key = K::from_unsigned(bracket.low);
  const auto high_key = K::from_unsigned(bracket.high);
  const auto low = hn::Set(d, low_key);
  const auto high = hn::Set(d, high_key);
  BracketCount c{0, 0, 0};
  std::int64_t i = 0;
  for (; i + lanes <= run.n; i += lanes) {
    const auto v = K::load(run.values + i);
    const auto inside = hn::And(at_least(d, v, low), at_least(d, high, v));
    c.below += static_cast<std::int64_t>(hn::CountTrue(d, hn::Lt(v, low)));
    if (K::kHasNan) c.valid += static_cast<std::int64_t>(hn::CountTrue(d, K::valid(v)));
    if (hn::AllFalse(d, inside)) continue;
    if (c.inside + lanes > capacity) return {-1, 0, 0};
    const VU at = hn::Iota(DU(), run.base + static_cast<std::uint32_t>(i));
    pack(at, hn::RebindMask(DU(), inside), DU(), index + c.inside);
    c.inside += pack(hn::LoadU(DF(), run.values + i), hn::RebindMask(DF(), inside), DF(),
                     values + c.inside);
  }
  if (!K::kHasNan) c.valid = i;
  for (; i < run.n; ++i) {
    const auto v = K::key(run.values[i]);
    if (!K::takes_part(v)) continue;
    ++c.valid;
    if (v < low_key) ++c.below;
    if (v < low_key || v > high_key) continue;
    if (c.inside >= capacity) return {-1, 0, 0};
    values[c.inside] = run.values[i];
    index[c.inside++] = run.base + static_cast<std::uint32_t>(i);
  }
  return c;
}

// Digits of one block of matching keys; the increments then read them from the first-level cache.
template <class K, int kDigit>
std::int64_t digits_of(const float* x, std::int64_t n, std::uint32_t prefix, std::uint32_t* out) {
  const DU du;
  const std::int64_t lanes = lanes_of();
  constexpr int kShift = kDigit == 0 ? 21 : (kDigit == 1 ? 10 : 0);
  constexpr std::uint32_t kMask = kDigit == 2 ? 1023U : 2047U;
  constexpr int kAbove = kDigit == 0 ? 0 : (kDigit == 1 ? 21 : 10);
  std::int64_t kept = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = K::load(x + i);
    const VU u = K::to_unsigned(v);
    auto mask = hn::RebindMask(du, K::valid(v));
    if constexpr (kDigit > 0) {
      mask = hn::And(mask, hn::Eq(hn::ShiftRight<kAbove>(u), hn::Set(du, prefix)));
    }
    const VU digit = hn::And(hn::ShiftRight<kShift>(u), hn::Set(du, kMask));
    kept += pack(digit, mask, du, out + kept);
  }
  for (; i < n; ++i) {
    const auto v = K::key(x[i]);
    if (!K::takes_part(v)) continue;
    const std::uint32_t u = K::to_unsigned(v);
    if (kDigit > 0 && (u >> kAbove) != prefix) continue;
    out[kept++] = (u >> kShift) & kMask;
  }
  return kept;
}

// Floats crowd a few digits: four interleaved counters a digit keep increments independent.
template <class K>
void histogram_of(const RankRun& run, int digit, std::uint32_t prefix, std::uint32_t* counters,
                  std::uint32_t* scratch) {
  constexpr std::int64_t kBlock = 1024;
  std::uint32_t digits[kBlock + 64];
  std::fill(scratch, scratch + 4 * kDigitCounters, 0U);
  for (std::int64_t i = 0; i < run.n; i += kBlock) {
    const std::int64_t n = std::min(kBlock, run.n - i);
    const float* x = run.values + i;
    const std::int64_t found = digit == 0   ? digits_of<K, 0>(x, n, prefix, digits)
                               : digit == 1 ? digits_of<K, 1>(x, n, prefix, digits)
                                            : digits_of<K, 2>(x, n, prefix, digits);
    std::int64_t j = 0;
    for (; j + 4 <= found; j += 4) {
      ++scratch[digits[j]];
      ++scratch[kDigitCounters + digits[j + 1]];
      ++scratch[2 * kDigitCounters + digits[j + 2]];
      ++scratch[3 * kDigitCounters + digits[j + 3]];
    }
    for (; j < found; ++j) ++scratch[digits[j]];
  }
  for (std::int64_t b = 0; b < kDigitCounters; ++b) {
    counters[b] += scratch[b] + scratch[kDigitCounters + b] + scratch[2 * kDigitCounters + b] +
                   scratch[3 * kDigitCounters + b];
  }
}

}  // namespace
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
