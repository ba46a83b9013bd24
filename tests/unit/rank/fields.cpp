#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "check_error.hpp"
#include "rank_caps.hpp"
#include "spiraltorch/rank/plan.hpp"

using namespace spiraltorch;

namespace {

using Change = std::function<void(RankPlanFields&)>;

// A plan with one field changed is refused, and the message names the field.
void check_named(const RankPlan& plan, const std::string& what, const Change& change) {
  RankPlanFields fields = *plan;
  change(fields);
  CAPTURE(what);
  try {
    (void)RankPlan(fields);
    FAIL_CHECK("accepted");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::invalid_value);
    const std::string message = e.what();
    CAPTURE(message);
    CHECK(message.find("[RankPlan] " + what) == 0);
    CHECK(message.find("got") != std::string::npos);
    CHECK(message.find("expected") != std::string::npos);
  }
}

void check_common(const RankPlan& p) {
  using F = RankPlanFields;
  check_named(p, "rows", [](F& f) { f.problem.rows = -1; });
  check_named(p, "cols", [](F& f) { f.problem.cols = 4294967296; });
  check_named(p, "k", [](F& f) { f.problem.k = -3; });
  check_named(p, "k_effective", [](F& f) { ++f.k_effective; });
  check_named(p, "planner_version", [](F& f) { ++f.planner_version; });
  check_named(p, "algorithm", [](F& f) { f.algorithm = RankAlgorithm::none; });
  check_named(p, "algorithm", [](F& f) { f.problem.rows = 0; });
  check_named(p, "use_2ce", [](F& f) { f.choice.use_2ce = !f.choice.use_2ce; });
  check_named(p, "workgroup", [](F& f) { f.choice.workgroup = 0; });
  check_named(p, "channel_stride", [](F& f) { f.choice.channel_stride = f.problem.cols; });
  check_named(p, "channel_stride", [](F& f) { f.choice.channel_stride = -1; });
  check_named(p, "merge_kind", [](F& f) { f.choice.merge_kind = 7; });
  check_named(p, "merge_detail", [](F& f) { f.choice.merge_detail = 7; });
  check_named(p, "block", [](F& f) { ++f.block; });
  check_named(p, "sort_stage", [](F& f) { f.sort_stage = SortStage::none; });
  check_named(p, "workspace_bytes", [](F& f) { --f.workspace_bytes; });
  check_named(p, "grid x", [](F& f) { ++f.grid[0]; });
  check_named(p, "grid y", [](F& f) { ++f.grid[1]; });
}

}  // namespace

TEST_CASE("inconsistent fields of a CPU plan are refused by name") {
  using F = RankPlanFields;
  const RankPlan p = plan({RankKind::topk, 2, 200000, 50}, rank_caps::cpu());
  CHECK(RankPlan(*p) == p);
  check_common(p);
  check_named(p, "algorithm", [](F& f) { f.algorithm = RankAlgorithm::tile_sort; });
  check_named(p, "algorithm", [](F& f) { f.algorithm = RankAlgorithm::argreduce; });
  check_named(p, "algorithm", [](F& f) { f.problem.kind = RankKind::midk; });
  check_named(p, "channel_stride", [](F& f) { f.algorithm = RankAlgorithm::quickselect; });
  check_named(p, "channel_stride", [](F& f) { f.choice.channel_stride = 1; });
  check_named(p, "kl", [](F& f) { ++f.choice.kl; });
  check_named(p, "tile", [](F& f) { ++f.choice.tile; });
  check_named(p, "compaction_tile", [](F& f) { ++f.choice.compaction_tile; });
  check_named(p, "passes", [](F& f) { ++f.passes; });
  check_named(p, "shared_bytes", [](F& f) { ++f.shared_bytes; });
  check_named(p, "workgroup", [](F& f) { f.block = f.choice.workgroup = 4096; });
}

TEST_CASE("inconsistent fields of an accelerator's plan are refused by name") {
  using F = RankPlanFields;
  const RankPlan p = plan({RankKind::topk, 2, 200000, 50}, rank_caps::gpu(DeviceType::cuda));
  REQUIRE(p->algorithm == RankAlgorithm::block_queue);
  REQUIRE(p->choice.use_2ce);
  CHECK(RankPlan(*p) == p);
  check_common(p);
  check_named(p, "algorithm", [](F& f) { f.algorithm = RankAlgorithm::radix; });
  check_named(p, "algorithm", [](F& f) { f.problem.kind = RankKind::midk; });
  const RankPlan tall =
      plan({RankKind::topk, 4294967295, 100000000, 50}, rank_caps::gpu(DeviceType::wgpu));
  check_named(tall, "channel_stride", [](F& f) { f.choice.channel_stride = 1; });
}

TEST_CASE("an empty plan with numbers is refused") {
  using F = RankPlanFields;
  const RankPlan p = plan({RankKind::topk, 2, 200, 0}, rank_caps::cpu());
  CHECK(RankPlan(*p) == p);
  check_named(p, "choice", [](F& f) { f.choice.tile = 4; });
  check_named(p, "workspace_bytes", [](F& f) { f.workspace_bytes = 4; });
  check_named(p, "algorithm", [](F& f) { f.algorithm = RankAlgorithm::radix; });
}

TEST_CASE("sizes at the end of the range neither overflow nor pass as plans") {
  // What a file can hold: no field but the problem is plausible.
  for (const RankAlgorithm a :
       {RankAlgorithm::reservoir, RankAlgorithm::radix, RankAlgorithm::quickselect,
        RankAlgorithm::grid_radix, RankAlgorithm::block_queue, RankAlgorithm::dispatch_radix}) {
    for (const DeviceType type : {DeviceType::cpu, DeviceType::wgpu, DeviceType::cuda}) {
      for (const std::int64_t stride : {0, 1, 70000}) {
        RankPlanFields f;
        f.problem = {RankKind::topk, 4294967295, 4294967295, 4294967295};
        f.k_effective = 4294967295;
        f.device = {type, 0};
        f.algorithm = a;
        f.choice.workgroup = f.block = 1 << 20;
        f.choice.channel_stride = stride;
        f.choice.tile = 32;
        f.sort_stage = type == DeviceType::cpu ? SortStage::vector : SortStage::global;
        f.planner_version = kPlannerVersion;
        check_error(Errc::invalid_value, [&] { (void)RankPlan(f); });
      }
    }
  }
}
