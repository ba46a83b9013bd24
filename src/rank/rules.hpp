#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spiraltorch/rank/plan.hpp"

// The rules of each back end: which algorithms exist, whether one can serve, and the numbers of its
// plan. plan.cpp walks them.
namespace spiraltorch::ranking {

/// One row of a table: an algorithm and whether the table prefers it for the problem.
struct Candidate {
  RankAlgorithm algorithm;
  bool preferred;
};

/// In the table's order; the last preferred one always exists.
[[nodiscard]] std::vector<Candidate> candidates(const RankProblem& problem, const DeviceCaps& caps);
/// Why `algorithm` cannot serve on any device, in numbers; nothing where it may.
[[nodiscard]] std::optional<std::string> unserved(RankAlgorithm algorithm,
                                                  const RankProblem& problem);
/// Why `algorithm` cannot serve, in numbers; nothing where it can.
[[nodiscard]] std::optional<std::string> infeasible(RankAlgorithm algorithm,
                                                    const RankProblem& problem,
                                                    const DeviceCaps& caps);
/// Fills choice, grid, block, shared_bytes, passes, sort_stage and workspace_bytes of a plan whose
/// algorithm is set.
void fill_cpu(RankPlanFields& plan, const DeviceCaps& caps, const PlanOverrides& overrides);
void fill_gpu(RankPlanFields& plan, const DeviceCaps& caps, const PlanOverrides& overrides);

/// Launches, without the prologue for nan = "raise".
[[nodiscard]] std::vector<Launch> lower_cpu(const RankPlanFields& plan, bool sorted);
[[nodiscard]] std::vector<Launch> lower_gpu(const RankPlanFields& plan, bool sorted);

/// Launches of `dispatch_radix`, the bytes of workgroup memory of a sum over its threads, and the
/// most workgroups that one of its launches has.
[[nodiscard]] std::vector<Launch> lower_dispatch(const RankPlanFields& plan, bool sorted);
[[nodiscard]] std::int64_t dispatch_prefix_bytes(std::int64_t block);
[[nodiscard]] std::int64_t dispatch_blocks(const RankProblem& problem, std::int64_t pieces,
                                           std::int64_t block);

/// Most workgroups of one launch of an accelerator.
[[nodiscard]] std::int64_t most_blocks(DeviceType type);
/// Workgroups over x first, then y and z, as far as the device counts.
[[nodiscard]] std::array<std::int64_t, 3> spread(std::int64_t blocks, DeviceType type);
/// merge_kind and merge_detail of a GPU plan.
void set_merge(RankPlanFields& plan);
/// Scratch of a GPU plan.
[[nodiscard]] std::int64_t gpu_workspace(const RankPlanFields& plan);

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}
[[nodiscard]] constexpr std::int64_t floor_pow2(std::int64_t n) {
  std::int64_t p = 1;
  while (p * 2 <= n) p *= 2;
  return p;
}
[[nodiscard]] constexpr std::int64_t ceil_pow2(std::int64_t n) {
  std::int64_t p = 1;
  while (p < n) p *= 2;
  return p;
}

}  // namespace spiraltorch::ranking
