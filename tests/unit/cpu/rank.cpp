#include "spiraltorch/ops/rank.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "kernel_test.hpp"
#include "rank_data.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/parallel.hpp"

using namespace spiraltorch;

namespace {

constexpr RankKind kKinds[] = {RankKind::topk, RankKind::midk, RankKind::bottomk};
constexpr NanPolicy kPolicies[] = {NanPolicy::last, NanPolicy::largest};

DeviceCaps host() { return find_backend(DeviceType::cpu)->driver->describe(0); }

struct Case {
  NanPolicy nan;
  bool sorted;
  rank_data::Answer want;
};

// What a stable sort answers, for each policy and order.
std::vector<Case> cases_of(const RankProblem& q, const rank_data::Bits& bits) {
  std::vector<Case> out;
  for (const NanPolicy nan : kPolicies) {
    for (const bool sorted : {true, false}) {
      out.push_back(
          {nan, sorted, rank_data::stable_sort(q.kind, bits, q.rows, q.cols, q.k, nan, sorted)});
    }
  }
  return out;
}

// One plan: its answers are the stable sort's and each trace is the plan's launches.
void check_plan(const RankPlan& plan, const Tensor& x, const std::vector<Case>& cases) {
  const auto shared = std::make_shared<const RankPlan>(plan);
  CAPTURE(std::string(to_text(plan->algorithm)));
  CAPTURE(plan->choice.workgroup);
  CAPTURE(plan->choice.channel_stride);
  for (const Case& c : cases) {
    CAPTURE(std::string(to_text(c.nan)));
    CAPTURE(c.sorted);
    const RankResult result = rank(shared, x, c.sorted, c.nan);
    REQUIRE(rank_data::answer(result.values, result.indices) == c.want);
    REQUIRE(result.trace == lower(plan, c.sorted, c.nan));
  }
}

// Every feasible algorithm, with whole rows and, where it can, rows in pieces.
void check_algorithms(const RankProblem& q, const Tensor& x, const std::vector<Case>& cases) {
  const DeviceCaps caps = host();
  const RankPlan ruled = plan(q, caps);
  check_plan(ruled, x, cases);
  for (const RankAlgorithm a : feasible_algorithms(q, caps)) {
    check_plan(replace(ruled, caps, {.algorithm = a, .channel_stride = 0}), x, cases);
    if (a == RankAlgorithm::quickselect || q.cols < 4) continue;
    check_plan(
        replace(
            ruled, caps,
            {.algorithm = a, .workgroup = caps.max_workgroup, .channel_stride = q.cols / 3 + 1}),
        x, cases);
  }
}

// Calls body() for each instruction set with one thread and with three.
template <class F>
void every_machine(F&& body) {
  kernel_test::each_level([&] {
    for (const int count : {1, 3}) {
      set_thread_count(count);
      CAPTURE(count);
      body();
    }
  });
}

void check_problem(const RankProblem& q, const std::string& family, std::uint64_t seed) {
  CAPTURE(std::string(to_text(q.kind)));
  CAPTURE(q.rows);
  CAPTURE(q.cols);
  CAPTURE(q.k);
  CAPTURE(family);
  const auto bits = rank_data::make(family, seed, q.rows, q.cols);
  const Tensor x = rank_data::tensor(q.rows, q.cols, bits);
  const auto cases = cases_of(q, bits);
  every_machine([&] { check_algorithms(q, x, cases); });
}

}  // namespace

TEST_CASE("rank: every algorithm equals a stable sort on every family of inputs") {
  for (const auto& [family, element] : rank_data::families()) {
    for (const RankKind kind : kKinds) {
      check_problem({kind, 2, 300, 17}, family, 1);
      check_problem({kind, 1, 4500, 1}, family, 2);
      check_problem({kind, 1, 4500, 300}, family, 3);
    }
  }
}

TEST_CASE("rank: every algorithm equals a stable sort on every shape") {
  for (const RankKind kind : kKinds) {
    for (const std::int64_t cols : {1, 2, 7, 8, 31, 33, 64, 129, 1000, 4097}) {
      for (const std::int64_t k :
           {std::int64_t{1}, std::int64_t{2}, std::int64_t{8}, std::int64_t{65}, cols - 1, cols}) {
        if (k < 1 || k > cols) continue;
        for (const std::int64_t rows : {1, 5}) check_problem({kind, rows, cols, k}, "nan", 4);
      }
    }
  }
}

TEST_CASE("rank: long rows, where brackets and filters fill and miss") {
  for (const char* family : {"uniform", "ascending", "descending", "equal", "two", "late",
                             "crowded2", "fewnonnan", "planted", "infs"}) {
    for (const RankKind kind : kKinds) {
      check_problem({kind, 1, 150000, 100}, family, 5);
      check_problem({kind, 2, 40001, 5000}, family, 6);
    }
  }
}

TEST_CASE("rank: many short rows") {
  const auto bits = rank_data::make("few", 7, 70000, 3);
  const Tensor x = rank_data::tensor(70000, 3, bits);
  for (const RankKind kind : kKinds) {
    const RankProblem q{kind, 70000, 3, 2};
    check_plan(plan(q, host()), x, cases_of(q, bits));
  }
}

TEST_CASE("rank: a hundred repeats give the same bytes") {
  const auto bits = rank_data::make("few", 8, 4, 70000);
  const Tensor x = rank_data::tensor(4, 70000, bits);
  for (const RankKind kind : kKinds) {
    const auto problem = std::make_shared<const RankPlan>(plan({kind, 4, 70000, 90}, host()));
    const RankResult first = rank(problem, x);
    for (int i = 0; i < 100; ++i) {
      const RankResult again = rank(problem, x);
      REQUIRE(rank_data::answer(again.values, again.indices) ==
              rank_data::answer(first.values, first.indices));
    }
  }
}

TEST_CASE("rank: the mode of a caller's floating point does not reach the answer") {
#if defined(__SSE__)
  const auto bits = rank_data::make("subnormal", 9, 2, 3000);
  const Tensor x = rank_data::tensor(2, 3000, bits);
  const unsigned mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode | 0x8040U);  // flush subnormals, read them as zeros
  for (const RankKind kind : kKinds) {
    const RankProblem q{kind, 2, 3000, 20};
    check_algorithms(q, x, cases_of(q, bits));
  }
  CHECK(__builtin_ia32_stmxcsr() == (mode | 0x8040U));
  __builtin_ia32_ldmxcsr(mode);
#endif
}
