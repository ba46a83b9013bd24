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

namespace {

// Gradients of a mean by points and weights.
double compare_gradients(OpId op, OpId mean, const In& x, double kappa) {
  CAPTURE(static_cast<int>(op));
  CAPTURE(kappa);
  CAPTURE(x.rows);
  CAPTURE(x.cols);
  const In w = weights(x.rows);
  const Words m = run(kCpu, mean, {x, w}, {{{1, x.cols}}}, {kappa, 1e-9}, {1000})[0];
  const std::vector<In> in{x, w, {1, x.cols, m, x.cols}, normal(1, x.cols, 9)};
  const std::vector<Out> out{{{x.rows, x.cols}}, {{x.rows, 1}}};
  const auto got = run(kWgpu, op, in, out, {kappa});
  const auto expected = run(kCpu, op, in, out, {kappa});
  const double worst = check_rows(as_floats(got[0]), as_floats(expected[0]), x.cols, 1e-5, 1e-7);
  return std::max(worst, check_rows(as_floats(got[1]), as_floats(expected[1]), 1, 1e-5, 1e-7));
}

}  // namespace

TEST_CASE("ball: gradients of means") {
  if (!adapter_here()) return;
  double gyro = 0.0;
  double frechet = 0.0;
  for (const double kappa : kKappas) {
    for (const std::int64_t cols : {1, 2, 5, 64}) {
      for (const std::int64_t rows : {1, 3, 257}) {
        const In x = points(rows, cols, kappa, 6, kInnerNorms);
        gyro = std::max(gyro, compare_gradients(OpId::ball_gyromidpoint_grad,
                                                OpId::ball_gyromidpoint, x, kappa));
        frechet = std::max(frechet, compare_gradients(OpId::ball_frechet_mean_grad,
                                                      OpId::ball_frechet_mean, x, kappa));
      }
    }
  }
  MESSAGE("gyromidpoint gradient: " << gyro << ", Fréchet mean gradient: " << frechet);
}

TEST_CASE("ball: gradients of distances of all pairs") {
  if (!adapter_here()) return;
  double worst = 0.0;
  for (const double kappa : kKappas) {
    for (const std::int64_t cols : {1, 5, 64, 300}) {
      for (const std::int64_t rows : {1, 3, 70}) {
        const In x = points(rows, cols, kappa, 3);
        In y = points(rows + 7, cols, kappa, 4, kInnerNorms);
        std::copy(x.words.begin(), x.words.begin() + cols, y.words.begin() + 2 * cols);
        if (rows == 70) y.words[static_cast<std::size_t>(cols)] = 0x7fc00000U;
        for (const bool clean : {false, true}) {
          CAPTURE(clean);
          CAPTURE(rows);
          CAPTURE(cols);
          if (clean) y.words[static_cast<std::size_t>(cols)] = 0;
          const std::vector<In> in{x, y, normal(rows, rows + 7, 5)};
          const Out out{{rows, cols}};
          const auto got = run(kWgpu, OpId::ball_dist_matrix_grad, in, {out}, {kappa})[0];
          const auto expected = run(kCpu, OpId::ball_dist_matrix_grad, in, {out}, {kappa})[0];
          worst =
              std::max(worst, check_rows(as_floats(got), as_floats(expected), cols, 1e-5, 1e-4));
        }
      }
    }
  }
  MESSAGE("gradient of distances: " << worst);
}
