#include <string>
#include <vector>

#include "conformance.hpp"
#include "rank_data.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/runtime/probe.hpp"

// Selections on WebGPU: byte for byte a stable sort's, for every algorithm, variant and layout.
using namespace spiraltorch;
using rank_data::Bits;

namespace {

constexpr RankKind kKinds[] = {RankKind::topk, RankKind::midk, RankKind::bottomk};
constexpr NanPolicy kPolicies[] = {NanPolicy::last, NanPolicy::largest};

const char* const kFamilies[] = {"uniform", "bits",      "anybits", "equal",    "two",
                                 "few",     "ascending", "infs",    "descending", "zeros",
                                 "nan",     "allnan",    "fewnonnan", "subnormal", "crowded",
                                 "crowded2", "digit",    "late",    "sawtooth"};

DeviceCaps caps() { return describe_device(conformance::kWgpu); }

// One selection against the oracle, and its launches against the plan's.
void check(const RankPlan& plan, const Tensor& x, const Bits& bits, bool sorted, NanPolicy nan) {
  const RankProblem& q = plan->problem;
  const RankResult result = rank(std::make_shared<const RankPlan>(plan), x, sorted, nan);
  const auto got = rank_data::answer(result.values, result.indices);
  const auto want = rank_data::stable_sort(q.kind, bits, q.rows, q.cols, q.k, nan, sorted);
  CAPTURE(to_text(q.kind));
  CAPTURE(q.rows);
  CAPTURE(q.cols);
  CAPTURE(q.k);
  CAPTURE(sorted);
  CAPTURE(to_text(nan));
  CAPTURE(to_text(plan->algorithm));
  CAPTURE(plan->choice.channel_stride);
  CAPTURE(plan->choice.workgroup);
  const bool same = got == want;
  CHECK(same);
  const bool launched = result.trace == lower(plan, sorted, nan);
  CHECK(launched);
}

struct Layout {
  RankAlgorithm algorithm;
  std::int64_t workgroup;  // 0: the plan's
  std::int64_t stride;     // -1: the plan's
};

RankPlan planned(const RankProblem& q, const DeviceCaps& device, const Layout& layout) {
  PlanOverrides overrides{.algorithm = layout.algorithm};
  if (layout.workgroup > 0) overrides.workgroup = layout.workgroup;
  if (layout.stride >= 0) overrides.channel_stride = layout.stride;
  return replace(plan(q, device), device, overrides);
}

struct Size {
  std::int64_t rows;
  std::int64_t cols;
  Layout layout;
};

// All kinds and a few k; sorted or not and both policies in turns.
void check_family(const char* family, const Size& size, const std::vector<std::int64_t>& ks,
                  int& turn) {
  const Bits bits = rank_data::make(family, 7, size.rows, size.cols);
  const Tensor x = rank_data::tensor(size.rows, size.cols, bits).to(conformance::kWgpu);
  for (const RankKind kind : kKinds) {
    for (const std::int64_t k : ks) {
      ++turn;
      check(planned({kind, size.rows, size.cols, k}, caps(), size.layout), x, bits, turn % 3 != 0,
            kPolicies[turn % 2]);
    }
  }
}

}  // namespace

TEST_CASE("wgpu rank: families by tile sort") {
  if (!conformance::adapter_here()) return;
  constexpr Layout kTile{RankAlgorithm::tile_sort, 0, -1};
  int turn = 0;
  for (const char* family : kFamilies) {
    CAPTURE(family);
    check_family(family, {3, 7, kTile}, {1, 2, 6, 7}, turn);
    check_family(family, {1, 1, kTile}, {1}, turn);
    check_family(family, {2, 300, kTile}, {1, 150, 299, 300}, turn);
  }
  check_family("anybits", {2, 2048, kTile}, {1, 2, 2047, 2048}, turn);
  check_family("nan", {1, 2047, {RankAlgorithm::tile_sort, 64, -1}}, {1, 1000, 2047}, turn);
}

TEST_CASE("wgpu rank: families by radix") {
  if (!conformance::adapter_here()) return;
  conformance::each_variant([] {
    int turn = 0;
    for (const char* family : kFamilies) {
      CAPTURE(family);
      check_family(family, {2, 9001, {RankAlgorithm::dispatch_radix, 0, -1}}, {1, 100, 4500}, turn);
      check_family(family, {1, 3000, {RankAlgorithm::dispatch_radix, 64, 1000}}, {2, 2999, 3000},
                   turn);
    }
  });
}
