#pragma once

#include <algorithm>
#include <cstdint>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {

/// How a CPU plan divides its work and its workspace; a pure function of the plan, read by the
/// planner (sizes) and the executor (places). Sizes of scratch count 4-byte words.
struct CpuRankLayout {
  std::int64_t pieces = 1;         ///< of a row
  std::int64_t piece_cols = 0;     ///< columns of a piece
  std::int64_t rows_per_task = 1;  ///< where rows are whole
  std::int64_t read_tasks = 0;     ///< tasks of the launch that reads the input
  std::int64_t threads = 0;
  std::int64_t merge_threads = 0;  ///< of launches with one task a row
  std::int64_t capacity = 0;       ///< entries of a reservoir or candidate list
  std::int64_t sample = 0;         ///< elements that radix samples of a row; 0: no bracket
  std::int64_t worker_words = 0;   ///< scratch of one worker
  std::int64_t piece_words = 0;    ///< results that a piece hands to a later launch
  std::int64_t row_words = 0;      ///< results that a row hands to a later launch
  /// Workspace in bytes; the greatest number where it cannot be counted.
  [[nodiscard]] SPIRALTORCH_API std::int64_t total_bytes(std::int64_t rows) const;
};

/// Most pieces of a row.
inline constexpr std::int64_t kRankMostPieces = 65536;

/// Slack behind each list, in words: vectors are stored whole.
inline constexpr std::int64_t kRankPad = 64;
/// Words of one digit histogram: 2048 counters, four interleaved copies.
inline constexpr std::int64_t kHistogramWords = 4 * 2048;

/// Words of a list of n entries.
[[nodiscard]] constexpr std::int64_t rank_list_words(std::int64_t n) {
  return (n + 15) / 16 * 16 + kRankPad;
}

/// Lists up to this length are sorted by counting; shorter ones need not be cut to k before.
inline constexpr std::int64_t kRankShortSort = 160;
/// Words of a row's survivors, and of the scratch that sorts them.
[[nodiscard]] constexpr std::int64_t rank_survivor_words(std::int64_t k) {
  return rank_list_words(std::max(k, kRankShortSort));
}
[[nodiscard]] constexpr std::int64_t rank_sort_words(std::int64_t k) {
  return 4 * rank_survivor_words(k);
}

[[nodiscard]] SPIRALTORCH_API CpuRankLayout cpu_rank_layout(const RankPlanFields& plan);

}  // namespace spiraltorch
