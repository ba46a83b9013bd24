#include "spiraltorch/rank/plan.hpp"

#include <algorithm>

#include "rank/rules.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/cpu_layout.hpp"
#include "spiraltorch/rank/tuning.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kMost = 4294967295;

void check_problem(std::string_view op, const RankProblem& q) {
  const auto check = [&](std::string_view what, std::int64_t value) {
    if (value >= 0 && value <= kMost) return;
    fail(Errc::invalid_value, op, text(what, ": got ", value, ", expected 0 to 4294967295"));
  };
  check("rows", q.rows);
  check("cols", q.cols);
  check("k", q.k);
}

bool is_empty(const RankProblem& q) { return q.rows == 0 || q.cols == 0 || q.k == 0; }

RankPlanFields start(const RankProblem& q, const DeviceCaps& caps, std::string_view requested) {
  RankPlanFields p;
  p.problem = q;
  p.k_effective = std::min(q.k, q.cols);
  p.device = caps.device;
  p.requested_device = requested.empty() ? to_text(caps.device) : std::string(requested);
  p.simulated = !caps.available;
  p.fingerprint = fingerprint(caps);
  p.planner_version = kPlannerVersion;
  return p;
}

void fill(RankPlanFields& p, const DeviceCaps& caps, const PlanOverrides& overrides) {
  if (p.device.is_cpu()) {
    ranking::fill_cpu(p, caps, overrides);
  } else {
    ranking::fill_gpu(p, caps, overrides);
  }
}

// The tuned algorithm of the problem's bucket, if there is one that can serve.
RankAlgorithm tuned(const RankProblem& q, const DeviceCaps& caps, const TuningTable* table) {
  if (table == nullptr) return RankAlgorithm::none;
  const TuningEntry* entry = find_entry(*table, bucket_of(q));
  if (entry == nullptr) return RankAlgorithm::none;
  const auto able = feasible_algorithms(q, caps);
  const bool can = std::find(able.begin(), able.end(), entry->algorithm) != able.end();
  return can ? entry->algorithm : RankAlgorithm::none;
}

void choose_by_rule(RankPlanFields& p, const DeviceCaps& caps) {
  std::string reasons;
  for (const ranking::Candidate& c : ranking::candidates(p.problem, caps)) {
    const auto reason = ranking::infeasible(c.algorithm, p.problem, caps);
    if (reason) {
      p.rejected.push_back({c.algorithm, *reason});
      reasons += text(reasons.empty() ? "" : "; ", to_text(c.algorithm), ": ", *reason);
      continue;
    }
    if (!c.preferred) continue;
    p.algorithm = c.algorithm;
    return;
  }
  // Nothing that the table prefers is feasible: the first that is, in order.
  const auto able = feasible_algorithms(p.problem, caps);
  if (!able.empty()) {
    p.algorithm = able.front();
    return;
  }
  fail(Errc::device, "plan",
       text("device: got ", to_text(caps.device), " (", reasons,
            "), expected one with a feasible algorithm"));
}

[[noreturn]] void fail_field(std::string_view what, std::string_view got,
                             std::string_view expected) {
  fail(Errc::invalid_value, "RankPlan", text(what, ": got ", got, ", expected ", expected));
}

void check_number(std::string_view what, std::int64_t got, std::int64_t expected) {
  if (got != expected) fail_field(what, text(got), text(expected));
}

bool fits_device(RankAlgorithm a, DeviceType type) {
  using A = RankAlgorithm;
  if (type == DeviceType::cpu) return a >= A::argreduce && a <= A::radix;
  if (type == DeviceType::wgpu) return a == A::tile_sort || a == A::dispatch_radix;
  return a >= A::warp_queue && a <= A::grid_radix;
}

void check_grid(const RankPlanFields& p, const std::array<std::int64_t, 3>& expected) {
  constexpr const char* kNames[3] = {"grid x", "grid y", "grid z"};
  for (std::size_t i = 0; i < 3; ++i) check_number(kNames[i], p.grid[i], expected[i]);
}

// On the CPU everything follows from algorithm, threads, stride and vector length.
void check_cpu(const RankPlanFields& p) {
  const RankChoice& c = p.choice;
  const std::int64_t pieces =
      c.channel_stride > 0 ? ranking::ceil_div(p.problem.cols, c.channel_stride) : 1;
  if (pieces > kRankMostPieces) {
    fail_field("channel_stride", text(c.channel_stride), text(kRankMostPieces, " pieces at most"));
  }
  if (c.tile < 4 || c.tile % 4 != 0 || c.tile > 1 << 20) {
    fail_field("tile", text(c.tile), "four vectors");
  }
  DeviceCaps caps;
  caps.lane_width = c.tile / 4;
  caps.max_workgroup = c.workgroup;
  RankPlanFields want;
  want.problem = p.problem;
  want.k_effective = p.k_effective;
  want.algorithm = p.algorithm;
  ranking::fill_cpu(
      want, caps, {.algorithm = {}, .workgroup = c.workgroup, .channel_stride = c.channel_stride});
  check_number("workgroup", c.workgroup, want.choice.workgroup);
  check_number("kl", c.kl, want.choice.kl);
  check_number("merge_kind", c.merge_kind, want.choice.merge_kind);
  check_number("merge_detail", c.merge_detail, want.choice.merge_detail);
  check_number("compaction_tile", c.compaction_tile, want.choice.compaction_tile);
  check_grid(p, want.grid);
  check_number("shared_bytes", p.shared_bytes, 0);
  check_number("passes", p.passes, want.passes);
  check_number("workspace_bytes", p.workspace_bytes, want.workspace_bytes);
}

// The device's limits are not in the plan: only what does not need them is checked.
void check_gpu(const RankPlanFields& p) {
  const std::int64_t stride = p.choice.channel_stride;
  const std::int64_t pieces = stride > 0 ? ranking::ceil_div(p.problem.cols, stride) : 1;
  const std::int64_t most = ranking::most_blocks(p.device.type) / p.problem.rows;
  if (pieces > most) fail_field("channel_stride", text(stride), text(most, " pieces at most"));
  RankPlanFields want;
  want.algorithm = p.algorithm;
  want.choice.channel_stride = stride;
  ranking::set_merge(want);
  check_number("merge_kind", p.choice.merge_kind, want.choice.merge_kind);
  check_number("merge_detail", p.choice.merge_detail, want.choice.merge_detail);
  if (p.algorithm != RankAlgorithm::warp_queue) {
    check_grid(p, ranking::spread(p.problem.rows * pieces, p.device.type));
  }
  check_number("workspace_bytes", p.workspace_bytes, ranking::gpu_workspace(p));
}

void check_sort_stage(const RankPlanFields& p) {
  const SortStage s = p.sort_stage;
  const bool cpu = p.device.is_cpu();
  const bool sorts = cpu ? s == SortStage::vector : s == SortStage::local || s == SortStage::global;
  if (p.k_effective > 1 ? sorts : s == SortStage::none) return;
  fail_field("sort_stage", to_text(s),
             p.k_effective <= 1 ? "none for k <= 1" : (cpu ? "vector" : "local or global"));
}

void check_choice(const RankPlanFields& p) {
  const RankProblem& q = p.problem;
  const RankChoice& c = p.choice;
  if (!fits_device(p.algorithm, p.device.type)) {
    fail_field("algorithm", to_text(p.algorithm), text("one of ", to_text(p.device), "'s"));
  }
  if (const auto reason = ranking::unserved(p.algorithm, q)) {
    fail_field("algorithm", text(to_text(p.algorithm), " (", *reason, ")"), "one that can serve");
  }
  if (p.algorithm == RankAlgorithm::quickselect)
    check_number("channel_stride", c.channel_stride, 0);
  if (c.workgroup < 1 || c.workgroup > 1 << 20) {
    fail_field("workgroup", text(c.workgroup), "1 to 1048576");
  }
  if (c.channel_stride < 0 || c.channel_stride >= q.cols) {
    fail_field("channel_stride", text(c.channel_stride), text("0 to ", q.cols - 1));
  }
  check_number("block", p.block, c.workgroup);
  check_sort_stage(p);
  if (p.device.is_cpu()) {
    check_cpu(p);
  } else {
    check_gpu(p);
  }
}

}  // namespace

RankPlan::RankPlan(RankPlanFields fields) : fields_(std::move(fields)) {
  const RankPlanFields& p = fields_;
  check_problem("RankPlan", p.problem);
  check_number("planner_version", p.planner_version, kPlannerVersion);
  check_number("k_effective", p.k_effective, std::min(p.problem.k, p.problem.cols));
  if (is_empty(p.problem) != (p.algorithm == RankAlgorithm::none)) {
    fail_field("algorithm", to_text(p.algorithm),
               is_empty(p.problem) ? "none for an empty problem" : "one that selects");
  }
  if (p.algorithm == RankAlgorithm::none) {
    if (p.choice != RankChoice{})
      fail_field("choice", "other numbers", "zeros: nothing is launched");
    check_number("workspace_bytes", p.workspace_bytes, 0);
    return;
  }
  check_choice(p);
  const bool several = lower(*this).size() > 1;
  check_number("use_2ce", p.choice.use_2ce ? 1 : 0, several ? 1 : 0);
}

std::vector<RankAlgorithm> feasible_algorithms(const RankProblem& problem, const DeviceCaps& caps) {
  std::vector<RankAlgorithm> out;
  if (is_empty(problem)) return out;
  for (const ranking::Candidate& c : ranking::candidates(problem, caps)) {
    if (!ranking::infeasible(c.algorithm, problem, caps)) out.push_back(c.algorithm);
  }
  return out;
}

RankPlan plan(const RankProblem& problem, const DeviceCaps& caps, std::string_view requested,
              const TuningTable* tuning) {
  check_problem("plan", problem);
  RankPlanFields p = start(problem, caps, requested);
  if (is_empty(problem)) return RankPlan(std::move(p));
  choose_by_rule(p, caps);
  const RankAlgorithm measured = tuned(problem, caps, tuning);
  if (measured != RankAlgorithm::none) {
    p.algorithm = measured;
    p.provenance = PlanProvenance::tuned;
  }
  fill(p, caps, {});
  return RankPlan(std::move(p));
}

RankPlan replace(const RankPlan& plan, const DeviceCaps& caps, const PlanOverrides& overrides) {
  const RankProblem& q = plan->problem;
  if (plan->fingerprint != fingerprint(caps)) {
    fail(Errc::invalid_value, "replace",
         text("capabilities: got those of ", fingerprint(caps), ", expected the plan's, ",
              plan->fingerprint));
  }
  RankPlanFields p = start(q, caps, plan->requested_device);
  p.rejected = plan->rejected;
  p.provenance = PlanProvenance::overridden;
  p.algorithm = overrides.algorithm.value_or(plan->algorithm);
  if (is_empty(q) || p.algorithm == RankAlgorithm::none ||
      !fits_device(p.algorithm, p.device.type)) {
    fail(Errc::invalid_value, "replace",
         text("algorithm: got ", to_text(p.algorithm), ", expected one that ", to_text(p.device),
              " has, for a problem that is not empty"));
  }
  if (const auto reason = ranking::infeasible(p.algorithm, q, caps)) {
    fail(
        Errc::invalid_value, "replace",
        text("algorithm: got ", to_text(p.algorithm), " (", *reason, "), expected a feasible one"));
  }
  fill(p, caps, overrides);
  return RankPlan(std::move(p));
}

std::vector<Launch> lower(const RankPlan& plan, bool sorted, NanPolicy nan) {
  if (plan->algorithm == RankAlgorithm::none) return {};
  auto out =
      plan->device.is_cpu() ? ranking::lower_cpu(*plan, sorted) : ranking::lower_gpu(*plan, sorted);
  if (nan == NanPolicy::raise) {
    out.insert(out.begin(), Launch{"nan_scan", plan->grid, plan->block, 0});
  }
  return out;
}

}  // namespace spiraltorch
