#pragma once

#include <cstdint>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {

/// A part of a workspace: its first byte, a multiple of 256, and the bytes of one row.
struct RankRegion {
  std::int64_t first = 0;
  std::int64_t row_bytes = 0;
};

/// How a `dispatch_radix` plan divides a row and its workspace; a pure function of the plan, read
/// by the planner (sizes) and the executor (places).
struct DispatchLayout {
  std::int64_t pieces = 1;       ///< of a row
  std::int64_t stride = 0;       ///< columns of a piece
  std::int64_t capacity = 0;     ///< candidates that are listed for a piece
  std::int64_t targets = 1;      ///< ranks that are sought: 2 for MidK
  RankRegion counters;           ///< one histogram a target
  RankRegion state;              ///< of the walk
  RankRegion counts;             ///< of the compaction: four words a piece
  RankRegion keys;               ///< of the candidates
  RankRegion columns;            ///< of the candidates
  RankRegion lists;              ///< composites of the global sort
  RankRegion merged;             ///< and where their merges go, in turns
  std::int64_t total_bytes = 0;  ///< the greatest number where it cannot be counted
};

/// Composites of one tile of the global sort.
inline constexpr std::int64_t kRankSortTile = 1024;
/// Composites that one thread of a merge places.
inline constexpr std::int64_t kRankMergeItems = 4;

[[nodiscard]] SPIRALTORCH_API DispatchLayout dispatch_layout(const RankPlanFields& plan);

}  // namespace spiraltorch
