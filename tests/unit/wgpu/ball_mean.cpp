#include "ball.hpp"
#include "spiraltorch/base/error.hpp"

using namespace ball_test;
using spiraltorch::OpId;

namespace {

In weights(std::int64_t rows) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    values.push_back(0.25F * static_cast<float>(i % 5 + (rows < 5 ? 1 : 0)));
  }
  return floats(rows, 1, values);
}

double compare(OpId op, const std::vector<In>& in, double kappa, double tolerance,
               double absolute = 1e-9) {
  const Out out{{1, in[0].cols}};
  CAPTURE(kappa);
  CAPTURE(in[0].rows);
  CAPTURE(in[0].cols);
  const auto got = run(kWgpu, op, in, {out}, {kappa, 1e-9}, {1000})[0];
  const auto expected = run(kCpu, op, in, {out}, {kappa, 1e-9}, {1000})[0];
  return check_rows(as_floats(got), as_floats(expected), in[0].cols, tolerance, absolute);
}

const std::vector<double> kNear{0.3, 0.9, 0.0, 0.5, 0.95, 0.7};

}  // namespace

TEST_CASE("ball: gyromidpoint") {
  if (!adapter_here()) return;
  double worst = 0.0;
  for (const double kappa : kKappas) {
    for (const std::int64_t cols : {1, 2, 5, 64, 300}) {
      for (const std::int64_t rows : {1, 3, 257, 5000}) {
        const In x = points(rows, cols, kappa, 5);
        worst = std::max(worst, compare(OpId::ball_gyromidpoint, {x, weights(rows)}, kappa, 1e-6));
      }
    }
  }
  MESSAGE("gyromidpoint: " << worst);
  In x = points(40, 5, 1.0, 1);
  x.words[7] = 0x7fc00000U;
  compare(OpId::ball_gyromidpoint, {x, weights(40)}, 1.0, 1e-6);
}

TEST_CASE("ball: Fréchet mean") {
  if (!adapter_here()) return;
  double worst = 0.0;
  for (const double kappa : kKappas) {
    for (const std::int64_t cols : {1, 2, 64}) {
      for (const std::int64_t rows : {1, 3, 257}) {
        const In x = points(rows, cols, kappa, 6, kNear);
        worst = std::max(worst, compare(OpId::ball_frechet_mean, {x, weights(rows)}, kappa, 1e-6));
        const In y = points(rows, cols, kappa, 6, kInnerNorms);
        worst = std::max(worst, compare(OpId::ball_frechet_mean, {y, weights(rows)}, kappa, 1e-6));
      }
    }
  }
  MESSAGE("Fréchet mean: " << worst);
  In x = points(40, 5, 1.0, 1);
  CHECK_THROWS_AS(
      run(kWgpu, OpId::ball_frechet_mean, {x, weights(40)}, {{{1, 5}}}, {1.0, 1e-9}, {1}),
      spiraltorch::Error);
  x.words[7] = 0x7fc00000U;
  compare(OpId::ball_frechet_mean, {x, weights(40)}, 1.0, 1e-6);
}
