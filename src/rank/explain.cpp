#include "rank/rules.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {
namespace {

std::string why(const RankPlanFields& p) {
  const RankProblem& q = p.problem;
  if (p.provenance == PlanProvenance::tuned) return "the tuning table's choice for this size class";
  if (p.provenance == PlanProvenance::overridden) return "asked for";
  switch (p.algorithm) {
    case RankAlgorithm::none:
      return "rows, cols or k is 0: nothing to launch";
    case RankAlgorithm::argreduce:
      return "k = 1: a running best in one read";
    case RankAlgorithm::reservoir:
      return text("k = ", q.k, " of ", q.cols,
                  " columns: one read, filtered by the k-th best so far");
    case RankAlgorithm::quickselect:
      return text("a row's ", q.cols, " keys fit a core's cache: one read, then partition there");
    case RankAlgorithm::radix:
      return text(q.cols,
                  " columns: a sampled bracket in one read; if it misses, a walk by digits");
    case RankAlgorithm::warp_queue:
      return text("k = ", q.k, ", ", q.cols, " columns, ", q.rows, " rows: one warp a row");
    case RankAlgorithm::block_queue:
      return text("k = ", q.k, " of ", q.cols, " columns: one read by a block, filtered");
    case RankAlgorithm::block_radix:
      return text(q.rows, " rows fill the device: one block a row");
    case RankAlgorithm::grid_radix:
      return text(q.rows, " rows of ", q.cols, " columns: the whole grid walks each row");
    case RankAlgorithm::tile_sort:
      return text("a row's ", q.cols, " columns fit one workgroup's memory");
    default:
      return text("rows of ", q.cols, " columns do not fit one workgroup's memory");
  }
}

std::string grid_text(const std::array<std::int64_t, 3>& grid) {
  return text(grid[0], "x", grid[1], "x", grid[2]);
}

}  // namespace

std::string explain(const RankPlan& plan) {
  const RankPlanFields& p = *plan;
  const RankProblem& q = p.problem;
  const bool cpu = p.device.is_cpu();
  std::string out =
      text(to_text(q.kind), " k=", q.k, " of ", q.rows, "x", q.cols, " on ", to_text(p.device),
           p.simulated ? " (simulated: the device is absent)" : "", "\nalgorithm ",
           to_text(p.algorithm), " (", to_text(p.provenance), "): ", why(p), "\n");
  for (const Rejection& r : p.rejected) {
    out += text("rejected ", to_text(r.algorithm), ": ", r.reason, "\n");
  }
  out += text("reads the input at most ", p.passes, p.passes == 1 ? " time" : " times",
              ", workspace ", p.workspace_bytes, " bytes, sort ", to_text(p.sort_stage), "\n");
  for (const Launch& l : lower(plan)) {
    out += cpu ? text("launch ", l.kernel, ": ", l.grid[0], " tasks on ", l.block, " threads\n")
               : text("launch ", l.kernel, ": grid ", grid_text(l.grid), ", block ", l.block, ", ",
                      l.shared_bytes, " bytes shared\n");
  }
  return out;
}

}  // namespace spiraltorch
