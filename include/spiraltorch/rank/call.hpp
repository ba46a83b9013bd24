#pragma once

#include <cstdint>
#include <vector>

#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {

/// One execution of a plan, as a back end gets it (`KernelArgs::rank`). The back end launches what
/// `lower(plan, sorted, nan)` lists and records each launch as it issues it.
struct RankCall {
  const RankPlan* plan = nullptr;
  bool sorted = true;
  NanPolicy nan = NanPolicy::last;
  std::vector<Launch> trace{};
  std::int64_t first_nan = -1;  ///< flat index, under NanPolicy::raise; then nothing is written
};

}  // namespace spiraltorch
