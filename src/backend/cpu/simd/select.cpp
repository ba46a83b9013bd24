#include "backend/cpu/simd/select.hpp"

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/select.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/select_walk-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

template <class K>
void sort_by_places(const float* row, std::uint32_t* index, std::int64_t n,
                    std::uint32_t* scratch) {
  using T = typename K::T;
  T keys[kRankShortSort + 64];
  std::int32_t places[kRankShortSort + 64];
  for (std::int64_t i = 0; i < n; ++i) keys[i] = K::key(row[index[i]]);
  std::fill(keys + n, keys + n + lanes_of(), K::lowest());
  places_of(typename K::D(), keys, n, places);
  for (std::int64_t i = 0; i < n; ++i) scratch[places[i]] = index[i];
  std::copy(scratch, scratch + n, index);
}

// Least-significant-digit radix sort, stable: equal keys keep their order.
template <class K, int kBits>
void sort_by_digits(const float* row, std::uint32_t* index, std::int64_t n,
                    std::uint32_t* scratch) {
  constexpr std::int64_t kCounters = std::int64_t{1} << kBits;
  constexpr int kDigits = (32 + kBits - 1) / kBits;
  constexpr std::uint32_t kMask = kCounters - 1;
  std::uint32_t counters[kDigits][kCounters] = {};
  std::uint32_t* keys = scratch;
  std::uint32_t* other_keys = scratch + n;
  std::uint32_t* other_index = scratch + 2 * n;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint32_t u = ~K::to_unsigned(K::key(row[index[i]]));
    keys[i] = u;
    for (int digit = 0; digit < kDigits; ++digit) ++counters[digit][(u >> (kBits * digit)) & kMask];
  }
  std::uint32_t* from = index;
  std::uint32_t* to = other_index;
  for (int digit = 0; digit < kDigits; ++digit) {
    std::uint32_t* c = counters[digit];
    const int shift = kBits * digit;
    if (c[(keys[0] >> shift) & kMask] == static_cast<std::uint32_t>(n)) continue;  // one for all
    std::uint32_t sum = 0;
    for (std::int64_t b = 0; b < kCounters; ++b) {
      const std::uint32_t count = c[b];
      c[b] = sum;
      sum += count;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint32_t at = c[(keys[i] >> shift) & kMask]++;
      other_keys[at] = keys[i];
      to[at] = from[i];
    }
    std::swap(keys, other_keys);
    std::swap(from, to);
  }
  if (from != index) std::copy(from, from + n, index);
}

template <class K>
void sort_of(const float* row, std::uint32_t* index, std::int64_t n, std::uint32_t* scratch) {
  if (n < 2) return;
  if (n <= kRankShortSort) return sort_by_places<K>(row, index, n, scratch);
  if (n < 4096) return sort_by_digits<K, 8>(row, index, n, scratch);
  sort_by_digits<K, 11>(row, index, n, scratch);
}

std::int64_t argbest(KeyPolicy policy, const float* x, std::int64_t n) {
  SPIRALTORCH_BY_POLICY(argbest_of, x, n);
}
std::int64_t reservoir(KeyPolicy policy, const float* x, std::int64_t n, std::int64_t k,
                       const RankLists& lists, std::int64_t enough, std::uint32_t* out) {
  SPIRALTORCH_BY_POLICY(reservoir_of, x, n, k, lists, enough, out);
}
std::int64_t best_of_list(KeyPolicy policy, const float* row, const std::uint32_t* index,
                          std::int64_t n, std::int64_t k, const RankLists& lists,
                          std::uint32_t* out) {
  SPIRALTORCH_BY_POLICY(best_of, row, index, n, k, lists, out);
}
std::int64_t quickselect(KeyPolicy policy, bool central, const float* x, std::int64_t n,
                         std::int64_t k, const RankLists& lists, std::uint32_t* out) {
  SPIRALTORCH_BY_POLICY(quickselect_of, central, x, n, k, lists, out);
}
Bracket bracket(KeyPolicy policy, bool central, const float* x, std::int64_t n, std::int64_t k,
                std::int64_t sample, std::uint32_t* scratch) {
  SPIRALTORCH_BY_POLICY(bracket_of, central, x, n, k, sample, scratch);
}
BracketCount collect(KeyPolicy policy, const RankRun& run, const Bracket& bracket, float* values,
                     std::uint32_t* index, std::int64_t capacity) {
  SPIRALTORCH_BY_POLICY(collect_of, run, bracket, values, index, capacity);
}

void histogram(KeyPolicy policy, const RankRun& run, int digit, std::uint32_t prefix,
               std::uint32_t* counters, std::uint32_t* scratch) {
  SPIRALTORCH_BY_POLICY(histogram_of, run, digit, prefix, counters, scratch);
}
std::int64_t compact(KeyPolicy policy, const RankRun& run, const RankBounds& bounds,
                     std::uint32_t* out) {
  SPIRALTORCH_BY_POLICY(compact_of, run, bounds, out);
}

void sort(KeyPolicy policy, const float* row, std::uint32_t* index, std::int64_t n,
          std::uint32_t* scratch) {
  SPIRALTORCH_BY_POLICY(sort_of, row, index, n, scratch);
}

std::int64_t first_nan(const float* x, std::int64_t n) {
  const DF d;
  const std::int64_t lanes = lanes_of();
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const auto v0 = hn::LoadU(d, x + i), v1 = hn::LoadU(d, x + i + lanes);
    const auto v2 = hn::LoadU(d, x + i + 2 * lanes), v3 = hn::LoadU(d, x + i + 3 * lanes);
    const auto numbers =
        hn::And(hn::And(hn::Eq(v0, v0), hn::Eq(v1, v1)), hn::And(hn::Eq(v2, v2), hn::Eq(v3, v3)));
    if (!hn::AllTrue(d, numbers)) break;
  }
  for (; i < n; ++i) {
    if (x[i] != x[i]) return i;
  }
  return -1;
}

std::int64_t range_count(const float* x, std::int64_t n, float low, float high) {
  const DF d;
  const std::int64_t lanes = lanes_of();
  const auto lo = hn::Set(d, low);
  const auto hi = hn::Set(d, high);
  std::int64_t count = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    count += static_cast<std::int64_t>(hn::CountTrue(d, hn::And(hn::Ge(v, lo), hn::Le(v, hi))));
  }
  for (; i < n; ++i) count += x[i] >= low && x[i] <= high ? 1 : 0;
  return count;
}

// The results have no room behind them: only what is kept may be written.
std::int64_t range_emit(const float* x, std::int64_t n, float low, float high, float* values,
                        std::uint32_t* index) {
  constexpr std::int64_t kBlock = 512;
  const DF d;
  const std::int64_t lanes = lanes_of();
  const auto lo = hn::Set(d, low);
  const auto hi = hn::Set(d, high);
  float kept_values[kBlock + 64];
  std::uint32_t kept_index[kBlock + 64];
  std::int64_t total = 0;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = std::min(n, begin + kBlock);
    std::int64_t kept = 0;
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      const auto mask = hn::And(hn::Ge(v, lo), hn::Le(v, hi));
      const VU at = hn::Iota(DU(), static_cast<std::uint32_t>(i));
      pack(at, hn::RebindMask(DU(), mask), DU(), kept_index + kept);
      kept += pack(v, mask, d, kept_values + kept);
    }
    for (; i < end; ++i) {
      if (!(x[i] >= low && x[i] <= high)) continue;
      kept_values[kept] = x[i];
      kept_index[kept++] = static_cast<std::uint32_t>(i);
    }
    std::copy(kept_values, kept_values + kept, values + total);
    std::copy(kept_index, kept_index + kept, index + total);
    total += kept;
  }
  return total;
}

}  // namespace
const SelectTable kSelect{argbest,   reservoir, best_of_list, quickselect, bracket,     collect,
                          histogram, compact,   sort,         first_nan,   range_count, range_emit};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const SelectTable& select_table() {
  static const SimdVersion<SelectTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kSelect
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<SelectTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
