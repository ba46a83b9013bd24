#include "spiraltorch/ops/rank.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "check_error.hpp"
#include "rank_data.hpp"
#include "spiraltorch/runtime/parallel.hpp"

using namespace spiraltorch;
using Numbers = std::vector<std::int64_t>;

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInf = std::numeric_limits<float>::infinity();

using Select = RankResult (*)(const Tensor&, std::int64_t, const RankOptions&);
constexpr Select kAll[] = {topk, midk, bottomk};

// Checks code and part of the message.
template <class F>
void check_message(Errc code, const std::string& part, F&& f) {
  check_error(code, f);
  try {
    f();
  } catch (const Error& e) {
    const std::string message = e.what();
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  }
}

template <class F>
void check_mismatch(const std::string& part, F&& f) {
  check_message(Errc::device, part, f);
  CHECK_THROWS_AS(f(), PlanDeviceMismatch);
}

SharedPlan planned(RankKind kind, std::int64_t rows, std::int64_t cols, std::int64_t k) {
  return plan_for({kind, rows, cols, k}, "cpu");
}

}  // namespace

TEST_CASE("rank: the example") {
  const Tensor x(1, 6, {1, 3, 3, 2, 3, 1});
  const RankResult top = topk(x, 2);
  CHECK(top.values.data() == std::vector<float>{3, 3});
  CHECK(top.indices.data() == Numbers{1, 2});
  const RankResult bottom = bottomk(x, 2);
  CHECK(bottom.values.data() == std::vector<float>{1, 1});
  CHECK(bottom.indices.data() == Numbers{0, 5});
  const RankResult mid = midk(x, 2);
  CHECK(mid.values.data() == std::vector<float>{2, 3});
  CHECK(mid.indices.data() == Numbers{3, 1});
  CHECK(midk(x, 2, {.sorted = false}).indices.data() == Numbers{1, 3});
  CHECK(midk(x, 1).values.item() == 2.0);
  CHECK(top.indices.dtype() == "int32");
  CHECK(top.trace == lower(*top.plan));
  const auto [values, indices, plan, trace] = rank(top.plan, x);
  CHECK(indices.data() == Numbers{1, 2});
  CHECK(plan == top.plan);
}

TEST_CASE("rank: k outside the columns") {
  const Tensor x(2, 3, {1, 2, 3, 4, 5, 6});
  for (const Select select : kAll) {
    check_message(Errc::invalid_value, "k: got 4", [&] { (void)select(x, 4, {}); });
    check_message(Errc::invalid_value, "k: got -1", [&] { (void)select(x, -1, {}); });
    CHECK(select(x, 3, {}).values.size() == 6);
  }
  check_message(Errc::invalid_value, "k: got 4",
                [&] { (void)rank(planned(RankKind::topk, 2, 3, 4), x); });
  check_message(Errc::invalid_value, "plan: got none", [&] { (void)rank(nullptr, x); });
}

TEST_CASE("rank: k = 0 gives no columns") {
  const Tensor x(2, 3, {1, 2, kNan, 4, 5, 6});
  for (const Select select : kAll) {
    const RankResult r = select(x, 0, {});
    CHECK(r.values.shape() == Shape{2, 0});
    CHECK(r.indices.shape() == Shape{2, 0});
    CHECK(r.values.data().empty());
    CHECK(r.trace.empty());
    CHECK((*r.plan)->algorithm == RankAlgorithm::none);
    const RankResult again = select(r.values, 0, {});
    CHECK(again.values.shape() == Shape{2, 0});
    check_error(Errc::invalid_value, [&] { (void)select(r.values, 1, {}); });
  }
}

TEST_CASE("rank: slots that nothing fills hold NaN and -1") {
  const float odd = rank_data::to_float(0xFFC12345U);
  const Tensor x(2, 4, {odd, 2, kNan, 1, kNan, kNan, odd, kNan});
  for (const Select select : kAll) {
    const RankResult r = select(x, 3, {});
    for (const auto& [i, j] : {std::pair<int, int>{0, 2}, {1, 0}, {1, 1}, {1, 2}}) {
      CHECK(rank_data::to_bits(static_cast<float>(r.values.at(i, j))) == 0x7FC00000U);
      CHECK(rank_data::to_bits(r.values.data()[static_cast<std::size_t>(3 * i + j)]) ==
            0x7FC00000U);
      CHECK(r.indices.at(i, j) == -1);
    }
  }
  CHECK(topk(x, 3).indices.tolist()[0] == Numbers{1, 3, -1});
  CHECK(bottomk(x, 3).indices.tolist()[0] == Numbers{3, 1, -1});
  const RankResult all = topk(x, 2, {.nan = NanPolicy::largest});
  CHECK(all.indices.tolist() == std::vector<Numbers>{{0, 2}, {0, 1}});
  CHECK(rank_data::to_bits(all.values.data()[0]) == 0xFFC12345U);
  CHECK(bottomk(x, 2, {.nan = NanPolicy::largest}).indices.tolist()[0] == Numbers{3, 1});
}

TEST_CASE("rank: NaN that raises is named by its place, and nothing is changed") {
  Tensor x = Tensor::ones(3, 40);
  CHECK(topk(x, 2, {.nan = NanPolicy::raise}).indices.at(2, 1) == 1);
  std::vector<float> values(120, 1.0F);
  values[57] = values[58] = values[110] = kNan;
  x = Tensor(3, 40, std::span<const float>(values));
  for (const Select select : kAll) {
    for (const std::int64_t k : {1, 5, 40}) {
      check_message(Errc::non_finite, "element (1, 17)",
                    [&] { (void)select(x, k, {.nan = NanPolicy::raise}); });
    }
  }
  check_message(Errc::non_finite, "[rank] element (1, 17)",
                [&] { (void)rank(planned(RankKind::midk, 3, 40, 2), x, true, NanPolicy::raise); });
  const Tensor infinite(1, 3, {kInf, -kInf, 0});
  CHECK(topk(infinite, 1, {.nan = NanPolicy::raise}).indices.item() == 0);
}

TEST_CASE("rank: a plan serves its own shape, kind and k") {
  const Tensor x(2, 3, {1, 2, 3, 4, 5, 6});
  const SharedPlan plan = planned(RankKind::topk, 2, 3, 2);
  CHECK(topk(x, 2, {.plan = plan}).plan == plan);
  check_message(Errc::invalid_value, "plan's k: got 2", [&] { (void)topk(x, 1, {.plan = plan}); });
  check_message(Errc::invalid_value, "plan's kind: got topk",
                [&] { (void)bottomk(x, 2, {.plan = plan}); });
  const Tensor other(3, 2, {1, 2, 3, 4, 5, 6});
  check_message(Errc::invalid_value, "plan's shape", [&] { (void)topk(other, 2, {.plan = plan}); });
  check_message(Errc::invalid_value, "plan's shape", [&] { (void)rank(plan, other); });
}

TEST_CASE("rank: simulated plans and plans of other capabilities do not run") {
  const Tensor x(2, 3, {1, 2, 3, 4, 5, 6});
  const SharedPlan absent = plan_for({RankKind::topk, 2, 3, 2}, "hip:7");
  check_mismatch("simulated", [&] { (void)rank(absent, x); });
  check_mismatch("simulated", [&] { (void)topk(x, 2, {.plan = absent}); });
  RankPlanFields fields = **planned(RankKind::topk, 2, 3, 2);
  fields.simulated = true;
  check_mismatch("simulated", [&] { (void)rank(std::make_shared<const RankPlan>(fields), x); });
  fields = **absent;
  fields.simulated = false;
  check_mismatch("one for hip:7", [&] { (void)rank(std::make_shared<const RankPlan>(fields), x); });
  const SharedPlan before = planned(RankKind::topk, 2, 3, 2);
  const int threads = thread_count();
  set_thread_count(threads + 1);
  check_mismatch((*before)->fingerprint, [&] { (void)rank(before, x); });
  check_mismatch((*before)->fingerprint, [&] { (void)topk(x, 2, {.plan = before}); });
  CHECK(topk(x, 2).indices.at(0, 0) == 2);  // a plan of the present capabilities
  set_thread_count(threads);
  CHECK(rank(before, x).indices.at(0, 0) == 2);
}

TEST_CASE("rank: a device that is named moves the tensor") {
  const Tensor x(1, 3, {1, 3, 2});
  CHECK(topk(x, 1, {.device = "cpu"}).indices.item() == 1);
  CHECK(topk(x, 1, {.device = "AUTO"}).indices.item() == 1);
  check_error(Errc::invalid_value, [&] { (void)topk(x, 1, {.device = "gpu"}); });
}

TEST_CASE("compact_range keeps what lies within both bounds") {
  const Tensor x(3, 4, {1, 2, 3, kNan, -kInf, -0.0F, 0, kInf, 5, 6, 7, 8});
  const CompactResult r = compact_range(x, 0, 3);
  CHECK(r.values.shape() == Shape{1, 5});
  CHECK(r.indices.data() == Numbers{0, 1, 2, 1, 2});
  CHECK(r.counts.tolist() == std::vector<Numbers>{{3}, {2}, {0}});
  CHECK(rank_data::to_bits(r.values.data()[3]) == 0x80000000U);
  CHECK(compact_range(x, -1e300, 1e300).counts.data() == Numbers{3, 4, 4});
  const CompactResult none = compact_range(x, 3, 2);
  CHECK(none.values.shape() == Shape{1, 0});
  CHECK(none.indices.shape() == Shape{1, 0});
  CHECK(none.counts.data() == Numbers{0, 0, 0});
  const CompactResult empty = compact_range(topk(x, 0).values, 0, 1);
  CHECK(empty.values.shape() == Shape{1, 0});
  CHECK(empty.counts.data() == Numbers{0, 0, 0});
  check_message(Errc::invalid_value, "bound: got NaN", [&] { (void)compact_range(x, 0, kNan); });
  check_message(Errc::invalid_value, "bound: got NaN", [&] { (void)compact_range(x, kNan, 0); });
}

TEST_CASE("band_split sorts by size, and what is small stays here") {
  const Tensor g(2, 3, {0.5F, -4, 1, -2, 0, 3});
  const auto bands = [&](std::int64_t above, std::int64_t beneath, double tolerance) {
    std::string out;
    for (const Band b : band_split(g, above, beneath, tolerance).bands) {
      out += "AHB"[static_cast<std::size_t>(b)];
    }
    return out;
  };
  CHECK(bands(2, 2, 0) == "BAHHHA");
  CHECK(bands(0, 0, 0) == "HHHHHH");
  CHECK(bands(100, 100, 0) == "AAAAHA");
  CHECK(bands(2, 2, 0.5) == "HAHHHA");
  CHECK(bands(2, 2, -1) == "BAHHHA");
  const BandSplit split = band_split(g, 2, 2, 0);
  CHECK(split.sums == std::array<double, 3>{7.0, 3.0, 0.5});
}

TEST_CASE("band_split's errors") {
  const Tensor g(2, 2, {1, 2, 3, 4});
  check_message(Errc::invalid_value, "above: got -1", [&] { (void)band_split(g, -1, 0, 0); });
  check_message(Errc::invalid_value, "beneath: got -2", [&] { (void)band_split(g, 0, -2, 0); });
  check_message(Errc::invalid_value, "tolerance: got NaN",
                [&] { (void)band_split(g, 0, 0, kNan); });
  for (const float bad : {kNan, kInf, -kInf}) {
    check_message(Errc::non_finite, "element (1, 0)", [&] {
      (void)band_split(Tensor(2, 2, {1, 2, bad, bad}), 1, 1, 0);
    });
  }
}

TEST_CASE("the gradient of a selection goes to the columns it came from") {
  Tensor x(2, 3, {3.0F, 1.0F, 2.0F, 4.0F, 4.0F, 5.0F});
  x.requires_grad_();
  topk(x, 2).values.backward(Tensor(2, 2, {1.0F, 2.0F, 3.0F, 4.0F}));
  CHECK(x.grad()->data() == std::vector<float>{1, 0, 2, 4, 0, 3});
  x.zero_grad();
  midk(x, 1, {.plan = plan_for({RankKind::midk, 2, 3, 1}, "cpu")})
      .values.backward(Tensor(2, 1, {7.0F, 8.0F}));
  CHECK(x.grad()->data() == std::vector<float>{0, 0, 7, 0, 8, 0});
}
