#include "spiraltorch/rank/plan.hpp"

#include <doctest/doctest.h>

#include <string>

#include "check_error.hpp"
#include "rank_caps.hpp"

using namespace spiraltorch;

namespace {

constexpr std::int64_t kMost = 4294967295;
constexpr RankKind kKinds[] = {RankKind::topk, RankKind::midk, RankKind::bottomk};
constexpr DeviceType kGpus[] = {DeviceType::wgpu, DeviceType::cuda, DeviceType::hip};

RankAlgorithm chosen(const RankProblem& q, const DeviceCaps& caps) {
  return plan(q, caps)->algorithm;
}

// Checks that f() is refused with a message that names `what`.
template <class F>
void check_refused(const std::string& what, F&& f) {
  check_error(Errc::invalid_value, f);
  try {
    f();
  } catch (const Error& e) {
    const std::string message = e.what();
    CAPTURE(message);
    CHECK(message.find("] " + what) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("kinds have three spellings in any case") {
  for (const char* name : {"topk", "top_k", "top", "TopK", "TOP_K", "Top"}) {
    CHECK(parse_rank_kind("test", name) == RankKind::topk);
  }
  for (const char* name : {"midk", "mid_k", "MID"}) {
    CHECK(parse_rank_kind("test", name) == RankKind::midk);
  }
  for (const char* name : {"bottomk", "bottom_k", "Bottom"}) {
    CHECK(parse_rank_kind("test", name) == RankKind::bottomk);
  }
  for (const char* name : {"", "k", "_k", "topkk", "top k", "top_k_k", "tıpk", " top", "minimum"}) {
    CAPTURE(name);
    check_refused("kind", [&] { (void)parse_rank_kind("test", name); });
  }
  check_refused("nan", [] { (void)parse_nan_policy("test", "Last"); });
  check_refused("algorithm", [] { (void)parse_rank_algorithm("test", "sort"); });
}

TEST_CASE("a plan echoes its problem and its device") {
  const DeviceCaps caps = rank_caps::cpu();
  const RankPlan p = plan({RankKind::midk, 8, 100, 7}, caps, "AUTO");
  CHECK(p->problem == RankProblem{RankKind::midk, 8, 100, 7});
  CHECK(p->k_effective == 7);
  CHECK(p->requested_device == "AUTO");
  CHECK(plan({RankKind::midk, 8, 100, 7}, caps)->requested_device == "cpu");
  CHECK(p->device == DeviceId{});
  CHECK_FALSE(p->simulated);
  CHECK(p->fingerprint == fingerprint(caps));
  CHECK(p->planner_version == kPlannerVersion);
  CHECK(p->provenance == PlanProvenance::rule);
  CHECK(p == plan({RankKind::midk, 8, 100, 7}, caps, "AUTO"));
}

TEST_CASE("sizes run from 0 to 2^32-1") {
  for (const DeviceCaps& caps : {rank_caps::cpu(), rank_caps::gpu(DeviceType::cuda)}) {
    for (const RankKind kind : kKinds) {
      CHECK(plan({kind, kMost, kMost, kMost}, caps)->k_effective == kMost);
      CHECK(plan({kind, 1, 2, 8}, caps)->k_effective == 2);
      CHECK(plan({kind, 1, 1, kMost}, caps)->k_effective == 1);
    }
    check_refused("rows", [&] { (void)plan({RankKind::topk, -1, 1, 1}, caps); });
    check_refused("rows", [&] { (void)plan({RankKind::topk, kMost + 1, 1, 1}, caps); });
    check_refused("cols", [&] { (void)plan({RankKind::topk, 1, -1, 1}, caps); });
    check_refused("cols", [&] { (void)plan({RankKind::topk, 1, kMost + 1, 1}, caps); });
    check_refused("k", [&] { (void)plan({RankKind::topk, 1, 1, -1}, caps); });
    check_refused("k", [&] { (void)plan({RankKind::topk, 1, 1, kMost + 1}, caps); });
  }
}

TEST_CASE("an empty problem launches nothing") {
  for (const DeviceCaps& caps : {rank_caps::cpu(), rank_caps::gpu(DeviceType::wgpu)}) {
    for (const RankProblem& q : {RankProblem{RankKind::topk, 0, 5, 2},
                                 {RankKind::midk, 5, 0, 2},
                                 {RankKind::bottomk, 5, 5, 0},
                                 {RankKind::topk, 0, 0, 0}}) {
      const RankPlan p = plan(q, caps);
      CHECK(p->algorithm == RankAlgorithm::none);
      CHECK(p->choice == RankChoice{});
      CHECK(p->workspace_bytes == 0);
      for (const NanPolicy nan : {NanPolicy::last, NanPolicy::largest, NanPolicy::raise}) {
        CHECK(lower(p, true, nan).empty());
      }
      CHECK(feasible_algorithms(q, caps).empty());
      CHECK(explain(p).find("none") != std::string::npos);
      check_refused("algorithm",
                    [&] { (void)replace(p, caps, {.algorithm = RankAlgorithm::radix}); });
    }
  }
}

TEST_CASE("the CPU's rules") {
  const DeviceCaps caps = rank_caps::cpu();
  using A = RankAlgorithm;
  CHECK(chosen({RankKind::topk, 8, 5000, 1}, caps) == A::argreduce);
  CHECK(chosen({RankKind::bottomk, 8, 5000, 1}, caps) == A::argreduce);
  CHECK(chosen({RankKind::midk, 8, 5000, 1}, caps) == A::quickselect);
  CHECK(chosen({RankKind::topk, 8, 65536, 128}, caps) == A::reservoir);
  CHECK(chosen({RankKind::topk, 8, 100, 90}, caps) == A::quickselect);
  CHECK(chosen({RankKind::topk, 1, 10000000, 5000}, caps) == A::radix);
  CHECK(chosen({RankKind::midk, 1, 10000000, 100}, caps) == A::radix);
}

TEST_CASE("the accelerators' rules, on templates") {
  using A = RankAlgorithm;
  const DeviceCaps cuda = rank_caps::gpu(DeviceType::cuda);
  CHECK(chosen({RankKind::topk, 4096, 4096, 64}, cuda) == A::warp_queue);
  CHECK(chosen({RankKind::topk, 64, 65536, 128}, cuda) == A::block_queue);
  CHECK(chosen({RankKind::midk, 64, 65536, 128}, cuda) == A::block_radix);
  CHECK(chosen({RankKind::midk, 1, 10000000, 100}, cuda) == A::grid_radix);
  const DeviceCaps wgpu = rank_caps::gpu(DeviceType::wgpu);
  CHECK(chosen({RankKind::midk, 64, 2048, 128}, wgpu) == A::tile_sort);
  CHECK(chosen({RankKind::midk, 64, 2049, 128}, wgpu) == A::dispatch_radix);
  for (const DeviceType type : kGpus) {
    const RankPlan p = plan({RankKind::topk, 64, 4096, 16}, rank_caps::gpu(type), "x");
    CHECK(p->simulated);
    CHECK(p->device.type == type);
    CHECK(lower(p).size() > 0);
  }
}

TEST_CASE("earlier algorithms that cannot serve are listed with their numbers") {
  const RankPlan host = plan({RankKind::topk, 1, 10000000, 5000}, rank_caps::cpu());
  REQUIRE(host->rejected.size() == 2);
  CHECK(host->rejected[0] == Rejection{RankAlgorithm::argreduce, "k 5000 != 1"});
  CHECK(host->rejected[1] == Rejection{RankAlgorithm::quickselect, "cols 10000000 > 1048576"});
  DeviceCaps small = rank_caps::gpu(DeviceType::cuda);
  small.shared_bytes = 16384;
  const RankPlan p = plan({RankKind::topk, 640, 65536, 1024}, small);
  CHECK(p->algorithm == RankAlgorithm::block_radix);
  REQUIRE(p->rejected.size() == 1);
  CHECK(p->rejected[0] == Rejection{RankAlgorithm::block_queue, "shared bytes 33024 > 16384"});
  const RankPlan wide = plan({RankKind::topk, 1, 65536, 16}, rank_caps::gpu(DeviceType::wgpu));
  REQUIRE(wide->rejected.size() == 1);
  CHECK(wide->rejected[0] == Rejection{RankAlgorithm::tile_sort, "cols 65536 > 2048"});
}

TEST_CASE("where nothing is feasible the error lists every reason") {
  DeviceCaps caps = rank_caps::gpu(DeviceType::wgpu);
  const auto reject = [&](const RankProblem& q, std::initializer_list<const char*> words) {
    try {
      (void)plan(q, caps);
      FAIL_CHECK("planned");
    } catch (const Error& e) {
      CHECK(e.code() == Errc::device);
      const std::string what = e.what();
      CAPTURE(what);
      for (const char* word : words) CHECK(what.find(word) != std::string::npos);
    }
  };
  reject({RankKind::topk, 1, 200000000, 5},
         {"tile_sort: cols 200000000 > 2048", "dispatch_radix: cols 200000000 > 134217728"});
  caps.shared_bytes = 4096;
  reject({RankKind::topk, 1, 5000, 5}, {"cols 5000 > 512", "shared bytes 10384 > 4096"});
  caps = rank_caps::gpu(DeviceType::wgpu);
  caps.lane_width = caps.max_workgroup = 1;
  reject({RankKind::topk, kMost, 134217728, 5}, {"workgroups 36028797010575360 > 281462092005375"});
  caps.lane_width = 64;
  reject({RankKind::topk, 1, 5, 5}, {"threads per workgroup 1 < lanes 64"});
}

TEST_CASE("replace changes what it is asked for") {
  const DeviceCaps caps = rank_caps::cpu();
  const RankPlan p = plan({RankKind::topk, 2, 200000, 50}, caps, "auto");
  const RankPlan q = replace(p, caps, {.algorithm = RankAlgorithm::radix});
  CHECK(q->algorithm == RankAlgorithm::radix);
  CHECK(q->provenance == PlanProvenance::overridden);
  CHECK(q->requested_device == "auto");
  CHECK(q->problem == p->problem);
  CHECK(q->choice.use_2ce == (lower(q).size() > 1));
  CHECK(replace(p, caps, {.workgroup = 1})->choice.workgroup == 1);
  const RankPlan split = replace(p, caps, {.channel_stride = 1000});
  CHECK(split->choice.channel_stride == 1000);
  CHECK(split->grid[0] == 2 * 200);
  CHECK(replace(p, caps, {.channel_stride = 0})->choice.use_2ce == false);
  CHECK(explain(q).find("asked for") != std::string::npos);

  const DeviceCaps cuda = rank_caps::gpu(DeviceType::cuda);
  const RankPlan g = plan({RankKind::topk, 4, 1000000, 50}, cuda);
  const RankPlan both = replace(
      g, cuda, {.algorithm = RankAlgorithm::grid_radix, .workgroup = 64, .channel_stride = 500});
  CHECK(both->algorithm == RankAlgorithm::grid_radix);
  CHECK(both->block == 64);
  CHECK(both->grid[0] == 4 * 2000);
}

TEST_CASE("replace refuses what cannot be, by name") {
  const DeviceCaps caps = rank_caps::cpu();
  const RankPlan p = plan({RankKind::topk, 2, 2000000, 50}, caps);
  const auto refuse = [&](const char* what, const PlanOverrides& o) {
    check_refused(what, [&] { (void)replace(p, caps, o); });
  };
  refuse("algorithm", {.algorithm = RankAlgorithm::none});
  refuse("algorithm", {.algorithm = RankAlgorithm::warp_queue});
  refuse("algorithm", {.algorithm = RankAlgorithm::argreduce});
  refuse("algorithm", {.algorithm = RankAlgorithm::quickselect});
  refuse("workgroup", {.workgroup = 0});
  refuse("workgroup", {.workgroup = 5});
  refuse("channel_stride", {.channel_stride = -1});
  refuse("channel_stride", {.channel_stride = 2000000});
  refuse("channel_stride", {.channel_stride = 1});  // more than 65536 pieces
  check_refused("capabilities", [&] { (void)replace(p, rank_caps::cpu(5), {.workgroup = 1}); });
  const RankPlan small = plan({RankKind::midk, 2, 100, 50}, caps);
  check_refused("channel_stride", [&] { (void)replace(small, caps, {.channel_stride = 10}); });
}

TEST_CASE("replace keeps to an accelerator's limits") {
  DeviceCaps caps = rank_caps::gpu(DeviceType::cuda);
  const RankPlan p = plan({RankKind::topk, 4096, 4096, 64}, caps);
  const auto refuse = [&](const char* what, const PlanOverrides& o) {
    check_refused(what, [&] { (void)replace(p, caps, o); });
  };
  refuse("algorithm", {.algorithm = RankAlgorithm::tile_sort});
  for (const std::int64_t threads : {-32, 0, 1, 33, 1056})
    refuse("workgroup", {.workgroup = threads});
  refuse("channel_stride", {.channel_stride = 64});  // a warp's row is whole
  CHECK(replace(p, caps, {.workgroup = 1024})->shared_bytes == 8192);

  caps.shared_bytes = 4096;
  const RankPlan tight = plan({RankKind::topk, 4096, 4096, 64}, caps);
  CHECK(tight->algorithm == RankAlgorithm::warp_queue);
  check_refused("workgroup", [&] { (void)replace(tight, caps, {.workgroup = 1024}); });

  const DeviceCaps wgpu = rank_caps::gpu(DeviceType::wgpu);
  const RankPlan tall = plan({RankKind::topk, kMost, 134217728, 64}, wgpu);
  check_refused("channel_stride", [&] { (void)replace(tall, wgpu, {.channel_stride = 1}); });
  CHECK(replace(tall, wgpu, {.workgroup = 32})->choice.workgroup == 32);  // rows are not split
}

TEST_CASE("a plan for NaN to raise begins with a scan") {
  const RankPlan p = plan({RankKind::topk, 2, 200000, 50}, rank_caps::cpu());
  const auto plain = lower(p);
  auto scanned = lower(p, true, NanPolicy::raise);
  REQUIRE(scanned.size() == plain.size() + 1);
  CHECK(scanned.front().kernel == "nan_scan");
  scanned.erase(scanned.begin());
  CHECK(scanned == plain);
  CHECK(lower(p, true, NanPolicy::largest) == plain);
  CHECK(plain.back().kernel == "reservoir_merge_sort");
  CHECK(lower(p, false).back().kernel == "reservoir_merge");
}

TEST_CASE("explain names the choice, what was ruled out and every launch") {
  for (const RankKind kind : kKinds) {
    for (const std::int64_t cols : {100, 60000, 10000000}) {
      for (const DeviceCaps& caps :
           {rank_caps::cpu(), rank_caps::gpu(DeviceType::wgpu), rank_caps::gpu(DeviceType::cuda)}) {
        const RankPlan p = plan({kind, 3, cols, 40}, caps);
        const std::string out = explain(p);
        CAPTURE(out);
        const auto has = [&](std::string_view word) { return out.find(word) != std::string::npos; };
        CHECK(has("algorithm " + std::string(to_text(p->algorithm)) + " (rule)"));
        CHECK(has(std::string(to_text(kind)) + " k=40 of 3x"));
        CHECK(has("simulated") == p->simulated);
        for (const Rejection& r : p->rejected) {
          CHECK(has("rejected " + std::string(to_text(r.algorithm)) + ": " + r.reason));
        }
        for (const Launch& l : lower(p)) CHECK(has("launch " + l.kernel + ":"));
      }
    }
  }
}
