#include "spiraltorch/train/roundtable.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "check_error.hpp"
#include "support.hpp"

using namespace train_test;

namespace {

// The labels by a stable sort: the definition itself.
std::string sorted_labels(const std::vector<float>& g, std::int64_t top, std::int64_t bottom,
                          double tolerance) {
  std::vector<std::size_t> order(g.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return std::abs(g[a]) > std::abs(g[b]); });
  std::string out(g.size(), 'H');
  const auto n = static_cast<std::int64_t>(g.size());
  const std::int64_t above = std::min(top, n);
  for (std::int64_t i = 0; i < n; ++i) {
    char& label = out[order[static_cast<std::size_t>(i)]];
    if (i < above) label = 'A';
    if (i >= n - std::min(bottom, n - above)) label = 'B';
  }
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (std::abs(g[i]) <= static_cast<float>(tolerance)) out[i] = 'H';
  }
  return out;
}

std::string labels_of(const std::array<Tensor, 3>& parts, const Tensor& g) {
  std::string out(static_cast<std::size_t>(g.size()), '?');
  const auto whole = g.data();
  const auto a = parts[0].data();
  const auto h = parts[1].data();
  const auto b = parts[2].data();
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK(a[i] + h[i] + b[i] == whole[i]);
    out[i] = a[i] != 0 ? 'A' : b[i] != 0 ? 'B' : 'H';
  }
  return out;
}

}  // namespace

TEST_CASE("golden bands") {
  for (const Json& want : learning::file().at("bands")) {
    const auto values = want.at("gradient").get<std::vector<double>>();
    const Tensor g(1, std::ssize(values), std::span<const double>(values));
    const RoundtableSchedule schedule(1, g.cols(),
                                      {.top_k = want.at("top_k"),
                                       .mid_k = want.at("mid_k"),
                                       .bottom_k = want.at("bottom_k"),
                                       .here_tolerance = want.at("here_tolerance"),
                                       .device = "cpu"});
    const auto parts = schedule.split(g);
    std::string labels = labels_of(parts, g);
    std::string expected = want.at("labels");
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (values[i] == 0.0) expected[i] = labels[i];  // a zero is in every part alike
    }
    CHECK(labels == expected);
    const BandEnergy energy = schedule.band_energy(g);
    CHECK(energy.above == doctest::Approx(want.at("energy")[0].get<double>()).epsilon(1e-12));
    CHECK(energy.here == doctest::Approx(want.at("energy")[1].get<double>()).epsilon(1e-12));
    CHECK(energy.beneath == doctest::Approx(want.at("energy")[2].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("a split is that of a stable sort") {
  for (const std::int64_t n : {1, 2, 7, 100, 65537, 1000000}) {
    CAPTURE(n);
    Tensor g = Tensor::randn(1, n, 9);
    for (const double step : {0.0, 0.25}) {  // with a step there are many ties and zeros
      if (step > 0) {
        auto values = g.data();
        for (float& v : values) v = static_cast<float>(std::round(v / step) * step);
        g = Tensor(1, n, std::span<const float>(values));
      }
      const RoundtableSchedule schedule(
          1, n, {.top_k = n / 3 + 1, .bottom_k = n / 4, .here_tolerance = 0.01, .device = "cpu"});
      const auto want = sorted_labels(g.data(), n / 3 + 1, n / 4, 0.01);
      const bool same = labels_of(schedule.split(g), g) == want;
      CHECK(same);
    }
  }
}

TEST_CASE("golden error feedback: Above is sent, the rest is kept") {
  const Json& want = learning::file().at("error_feedback");
  const RoundtableSchedule schedule(
      1, 6, {.top_k = want.at("top_k"), .bottom_k = 0, .here_tolerance = 0, .device = "cpu"});
  Tensor residual(1, 6);
  for (const Json& step : want.at("steps")) {
    const auto values = step.at("gradient").get<std::vector<double>>();
    const Tensor a = residual.add(Tensor(1, 6, std::span<const double>(values)));
    const Tensor sent = schedule.split(a)[0];
    residual = a.sub(sent);
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(sent.data()[i] == doctest::Approx(step.at("sent")[i].get<double>()).epsilon(1e-6));
      CHECK(residual.data()[i] ==
            doctest::Approx(step.at("residual")[i].get<double>()).epsilon(1e-6));
    }
  }
}

TEST_CASE("weights scale their bands; a function chooses them from the energies") {
  const Tensor g(1, 4, {4, -3, 2, 1});
  RoundtableSchedule schedule(1, 4, {.top_k = 1, .bottom_k = 1, .device = "cpu"});
  CHECK(schedule.weighted(g).gradient.is_same(g) == false);
  CHECK(schedule.weighted(g).gradient.data() == g.data());
  const auto weighted = schedule.with_weights(0.5, 2, 0).weighted(g);
  CHECK(weighted.gradient.data() == std::vector<float>{2, -6, 4, 0});
  CHECK(weighted.energy == BandEnergy{4, 5, 1});
  const RoundtableSchedule chosen(1, 4,
                                  {.top_k = 1,
                                   .bottom_k = 1,
                                   .weights = BandWeighting([](const BandEnergy& e) {
                                     return BandWeights{e.beneath, e.above, e.here};
                                   }),
                                   .device = "cpu"});
  CHECK(chosen.weighted(g).gradient.data() == std::vector<float>{4, -12, 8, 5});
  CHECK(BandEnergy{1, 2, 1}.norm() == BandEnergy{0.25, 0.5, 0.25});
  CHECK(BandEnergy{}.norm().here == doctest::Approx(1.0 / 3));
  CHECK(schedule.repr() == "RoundtableSchedule(top=1, mid=8, bottom=1)");
  CHECK((*schedule.plans()[0])->problem == RankProblem{RankKind::topk, 1, 4, 1});
  CHECK((*schedule.plans()[1])->problem == RankProblem{RankKind::midk, 1, 4, 8});
  CHECK((*schedule.plans()[2])->problem == RankProblem{RankKind::bottomk, 1, 4, 1});
}

TEST_CASE("a schedule's errors") {
  const auto make = [](RoundtableOptions options) { (void)RoundtableSchedule(1, 4, options); };
  check_error(Errc::invalid_value, [&] { make({.top_k = -1}); });
  check_error(Errc::invalid_value, [&] { make({.here_tolerance = -1}); });
  check_error(Errc::invalid_value, [&] { make({.weights = BandWeights{1, -1, 1}}); });
  const double infinity = std::numeric_limits<double>::infinity();
  check_error(Errc::non_finite, [&] { make({.weights = BandWeights{1, infinity, 1}}); });
  const RoundtableSchedule schedule(1, 4);
  check_error(Errc::non_finite, [&] {
    (void)schedule.split(Tensor(1, 2, {std::numeric_limits<float>::quiet_NaN(), 1}));
  });
  const RoundtableSchedule bad(1, 4, {.weights = BandWeighting([](const BandEnergy&) {
                                        return BandWeights{-1, 0, 0};
                                      })});
  check_error(Errc::invalid_value, [&] { (void)bad.weighted(Tensor(1, 2, {1, 2})); });
}
