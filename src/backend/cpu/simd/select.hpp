#pragma once

#include <bit>
#include <cstdint>

#include "spiraltorch/rank/cpu_layout.hpp"

// Vectorised parts of rank selection. A key policy says how elements order: as IEEE floats without
// NaN, or as integers in which NaN is the largest; flipped for the smallest. Keys that cross a
// function's border are the unsigned integers of spec 3, 2.1 (after the flip).
namespace spiraltorch::cpu {

enum class KeyPolicy : unsigned char { plain, flipped, nan_plain, nan_flipped };

/// One element's key; NaN only under the `nan_` policies. Flipped keys are complemented.
[[nodiscard]] inline std::uint32_t select_key(KeyPolicy policy, float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  std::uint32_t u = (bits >> 31) != 0 ? ~bits : bits ^ 0x80000000U;
  if ((bits << 1) == 0) u = 0x80000000U;
  if ((bits & 0x7fffffffU) > 0x7f800000U) u = 0xffffffffU;
  const bool flip = policy == KeyPolicy::flipped || policy == KeyPolicy::nan_flipped;
  return flip ? ~u : u;
}

/// Which elements an ordered compaction keeps: those strictly between the keys, of those equal to
/// `lo` `lo_take` after the first `lo_skip`, of those equal to `hi` the first `hi_take`. Without
/// `has_hi` there is no upper key; `all` keeps every participant.
struct RankBounds {
  bool all = false;
  bool has_hi = false;
  std::uint32_t lo = 0;
  std::uint32_t hi = 0;
  std::int64_t lo_skip = 0;
  std::int64_t lo_take = 0;
  std::int64_t hi_take = 0;
};

/// A run of elements: the row's own (index = null: base, base + 1, …) or a list of candidates.
struct RankRun {
  const float* values;
  const std::uint32_t* index;
  std::int64_t n;
  std::uint32_t base;
};

/// Scratch lists of one worker, each with kRankPad words behind it.
struct RankLists {
  std::uint32_t* values;
  std::uint32_t* index;
  std::uint32_t* spare;
  std::int64_t capacity;
};

/// Digits of a key, from the top: 11, 11 and 10 bits, counted in lists of 2048.
inline constexpr int kDigits = 3;
inline constexpr int kDigitBits[kDigits] = {11, 11, 10};
inline constexpr std::int64_t kDigitCounters = 2048;

/// One step of a walk: the bucket of a digit that holds an ascending rank. `rank` becomes the rank
/// inside it, `prefix` gains the digit; returns how many elements it holds. count(bucket) gives
/// the number in each.
template <class Count>
std::int64_t descend(int digit, std::int64_t& rank, std::uint32_t& prefix, Count count) {
  std::uint32_t bucket = 0;
  std::int64_t here = count(bucket);
  while (rank >= here) {
    rank -= here;
    here = count(++bucket);
  }
  prefix = (prefix << kDigitBits[digit]) | bucket;
  return here;
}

/// What a bracket found in a run: candidates written (−1: more than the capacity), participants
/// below the bracket, participants.
struct BracketCount {
  std::int64_t inside;
  std::int64_t below;
  std::int64_t valid;
};

struct Bracket {
  bool usable;
  std::uint32_t low;
  std::uint32_t high;
};

struct SelectTable {
  /// Index of the first largest key, or −1 without participants.
  std::int64_t (*argbest)(KeyPolicy, const float* x, std::int64_t n);
  /// Indices of the k largest in ascending order; returns how many (fewer than k if there are not
  /// more). Up to `enough` may come, the k largest among them. `out` has room for them and padding.
  std::int64_t (*reservoir)(KeyPolicy, const float* x, std::int64_t n, std::int64_t k,
                            const RankLists& lists, std::int64_t enough, std::uint32_t* out);
  /// The k best of the listed elements of a row; `index` ascends.
  std::int64_t (*best_of_list)(KeyPolicy, const float* row, const std::uint32_t* index,
                               std::int64_t n, std::int64_t k, const RankLists& lists,
                               std::uint32_t* out);
  /// The k largest, or the k central ones, by partitioning a copy of the row's keys.
  std::int64_t (*quickselect)(KeyPolicy, bool central, const float* x, std::int64_t n,
                              std::int64_t k, const RankLists& lists, std::uint32_t* out);
  /// Keys between which the wanted ranks lie with great probability, from `sample` elements.
  Bracket (*bracket)(KeyPolicy, bool central, const float* x, std::int64_t n, std::int64_t k,
                     std::int64_t sample, std::uint32_t* scratch);
  /// Lists the elements inside the bracket.
  BracketCount (*collect)(KeyPolicy, const RankRun& run, const Bracket& bracket, float* values,
                          std::uint32_t* index, std::int64_t capacity);
  /// Adds the digits (0: top 11 bits, 1: next 11, 2: last 10) of participants whose higher bits
  /// equal `prefix` to 2048 counters; `scratch` holds four copies of them.
  void (*histogram)(KeyPolicy, const RankRun& run, int digit, std::uint32_t prefix,
                    std::uint32_t* counters, std::uint32_t* scratch);
  /// Indices of what the bounds keep, in order; returns how many.
  std::int64_t (*compact)(KeyPolicy, const RankRun& run, const RankBounds& bounds,
                          std::uint32_t* out);
  /// Sorts an ascending list of a row's elements by descending key, equal keys by ascending index.
  void (*sort)(KeyPolicy, const float* row, std::uint32_t* index, std::int64_t n,
               std::uint32_t* scratch);
  /// Index of the first NaN, or −1.
  std::int64_t (*first_nan)(const float* x, std::int64_t n);
  /// Elements in [low, high], and the same with their values and indices written.
  std::int64_t (*range_count)(const float* x, std::int64_t n, float low, float high);
  std::int64_t (*range_emit)(const float* x, std::int64_t n, float low, float high, float* values,
                             std::uint32_t* index);
};

[[nodiscard]] const SelectTable& select_table();

}  // namespace spiraltorch::cpu
