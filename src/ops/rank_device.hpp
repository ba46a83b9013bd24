#pragma once

#include <string_view>

#include "spiraltorch/ops/rank.hpp"

// What the files of rank selection share.
namespace spiraltorch::ranking {

/// The device's capabilities, or its template where it is absent.
[[nodiscard]] DeviceCaps caps_of(DeviceId device);
[[nodiscard]] SharedPlan memo_plan(const RankProblem& problem, const DeviceCaps& caps,
                                   std::string_view requested);

}  // namespace spiraltorch::ranking
