#include "spiraltorch/ops/rank.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "conformance.hpp"
#include "rank_data.hpp"
#include "spiraltorch/rank/call.hpp"
#include "spiraltorch/runtime/probe.hpp"

// Selections on WebGPU: byte for byte a stable sort's, for every algorithm, variant and layout.
using namespace spiraltorch;
using rank_data::Bits;

namespace {

constexpr RankKind kKinds[] = {RankKind::topk, RankKind::midk, RankKind::bottomk};
constexpr NanPolicy kPolicies[] = {NanPolicy::last, NanPolicy::largest};

const char* const kFamilies[] = {"uniform",  "bits",      "anybits",   "equal",      "two",
                                 "few",      "ascending", "infs",      "descending", "zeros",
                                 "nan",      "allnan",    "fewnonnan", "subnormal",  "crowded",
                                 "crowded2", "digit",     "late",      "sawtooth"};

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

constexpr RankAlgorithm kRadix = RankAlgorithm::dispatch_radix;

// Capabilities differ by variant: what was planned for the other is forgotten.
template <class F>
void each_variant(F&& body) {
  conformance::each_variant([&] {
    forget_plans();
    body();
  });
  forget_plans();
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
  each_variant([] {
    int turn = 0;
    for (const char* family : kFamilies) {
      CAPTURE(family);
      check_family(family, {2, 9001, {kRadix, 0, -1}}, {1, 100, 4500}, turn);
      check_family(family, {1, 3000, {kRadix, 64, 1000}}, {2, 2999, 3000}, turn);
    }
  });
}

TEST_CASE("wgpu rank: layouts of rows and pieces") {
  if (!conformance::adapter_here()) return;
  each_variant([] {
    int turn = 0;
    for (const char* family : {"uniform", "few", "nan"}) {
      CAPTURE(family);
      check_family(family, {3, 5, {kRadix, 0, -1}}, {1, 5}, turn);
      check_family(family, {2, 2049, {kRadix, 0, -1}}, {1, 2, 2048, 2049}, turn);
      check_family(family, {2, 4096, {kRadix, 0, 0}}, {64, 4095}, turn);
      check_family(family, {1, 1001, {kRadix, 32, 33}}, {1, 700}, turn);
      check_family(family, {2, 70000, {kRadix, 0, 0}}, {100}, turn);
      check_family(family, {1, 70001, {kRadix, 256, 16384}}, {1, 20000}, turn);
    }
  });
}

TEST_CASE("wgpu rank: the sort of many survivors") {
  if (!conformance::adapter_here()) return;
  int turn = 0;
  for (const char* family : {"uniform", "crowded2", "fewnonnan"}) {
    CAPTURE(family);
    check_family(family, {2, 9000, {kRadix, 0, -1}}, {4096, 4097, 9000}, turn);
    check_family(family, {1, 20011, {kRadix, 64, -1}}, {20011}, turn);
  }
}

TEST_CASE("wgpu rank: many rows") {
  if (!conformance::adapter_here()) return;
  const Bits bits = rank_data::make("few", 3, 70000, 6);
  const Tensor x = rank_data::tensor(70000, 6, bits).to(conformance::kWgpu);
  const RankPlan tiles = plan({RankKind::topk, 70000, 6, 2}, caps());
  CHECK(tiles->algorithm == RankAlgorithm::tile_sort);
  check(tiles, x, bits, true, NanPolicy::last);
  const Bits wide = rank_data::make("few", 3, 1000, 201);
  const Tensor y = rank_data::tensor(1000, 201, wide).to(conformance::kWgpu);
  check(planned({RankKind::midk, 1000, 201, 9}, caps(), {kRadix, 8, 3}), y, wide, false,
        NanPolicy::last);
}

TEST_CASE("wgpu rank: NaN that raises is named by its place, and nothing is written") {
  if (!conformance::adapter_here()) return;
  for (const std::int64_t cols : {300, 9001}) {
    Bits bits = rank_data::make("uniform", 5, 4, cols);
    const Shape shape{4, 3};
    const auto outcome = [&] {
      const Tensor x = rank_data::tensor(4, cols, bits).to(conformance::kWgpu);
      const RankPlan p = plan({RankKind::topk, 4, cols, 3}, caps());
      const auto values = conformance::put(conformance::kWgpu, Bits(12, conformance::kSentinel));
      const auto indices = conformance::put(conformance::kWgpu, Bits(12, conformance::kSentinel));
      const auto room =
          Buffer::allocate(conformance::kWgpu,
                           static_cast<std::size_t>(std::max<std::int64_t>(4, p->workspace_bytes)));
      RankCall call{&p, true, NanPolicy::raise};
      const std::array in{detail::operand_of(x)};
      std::vector<KernelOperand> out{operand(*values, shape),
                                     operand(*indices, shape, ElementType::i32)};
      if (p->workspace_bytes > 0) {
        out.push_back(operand(*room, {1, p->workspace_bytes / 4}, ElementType::i32));
      }
      launch(OpId::rank_select, {.in = in, .out = out, .scalars = {}, .ints = {}, .rank = &call});
      const bool untouched = conformance::get(*values) == Bits(12, conformance::kSentinel) &&
                             conformance::get(*indices) == Bits(12, conformance::kSentinel);
      CHECK(untouched == (call.first_nan >= 0));
      const auto all = lower(p, true, NanPolicy::raise);
      CHECK(call.trace.size() == (call.first_nan >= 0 ? 1 : all.size()));
      CHECK(call.trace.front() == all.front());
      return call.first_nan;
    };
    CHECK(outcome() == -1);
    bits[static_cast<std::size_t>(3 * cols + 17)] = 0x7F800001U;
    CHECK(outcome() == 3 * cols + 17);
    bits[static_cast<std::size_t>(2 * cols + cols - 1)] = 0xFFC00000U;
    CHECK(outcome() == 2 * cols + cols - 1);
    bits[static_cast<std::size_t>(2 * cols + 1)] = 0xFFFFFFFFU;
    CHECK(outcome() == 2 * cols + 1);
  }
}

TEST_CASE("wgpu rank: repeats give the same bytes") {
  if (!conformance::adapter_here()) return;
  const Tensor x =
      rank_data::tensor(3, 20000, rank_data::make("nan", 1, 3, 20000)).to(conformance::kWgpu);
  const auto once = [&] {
    const RankResult r = midk(x, 500);
    return rank_data::answer(r.values, r.indices);
  };
  const auto first = once();
  int same = 0;
  for (int i = 0; i < 100; ++i) same += once() == first ? 1 : 0;
  CHECK(same == 100);
}
