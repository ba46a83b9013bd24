#include "ball.hpp"

using namespace ball_test;
using spiraltorch::OpId;

namespace {

// The gradient by all operands; returns the worst error.
double compare(const Case& c, const std::vector<In>& operands, std::int64_t rows, std::int64_t cols,
               double kappa, double tolerance, double absolute, std::int64_t squared = 0) {
  CAPTURE(static_cast<int>(c.op));
  CAPTURE(kappa);
  CAPTURE(cols);
  CAPTURE(rows);
  std::vector<In> in = operands;
  in.push_back(normal(rows, width(c, cols), 77));
  std::vector<Out> out;
  for (const char* role = c.roles; *role != 0; ++role) {
    out.push_back({{rows, *role == 't' ? 1 : cols}});
  }
  const std::vector<std::int64_t> ints{static_cast<std::int64_t>(c.op), squared,
                                       (1 << operands.size()) - 1};
  const auto got = run(kWgpu, OpId::ball_grad, in, out, {kappa}, ints);
  const auto expected = run(kCpu, OpId::ball_grad, in, out, {kappa}, ints);
  double worst = 0.0;
  for (std::size_t k = 0; k < out.size(); ++k) {
    CAPTURE(k);
    worst = std::max(worst, check_rows(as_floats(got[k]), as_floats(expected[k]), out[k].shape.cols,
                                       tolerance, absolute));
  }
  return worst;
}

}  // namespace

TEST_CASE("ball: gradients of row-wise operations") {
  if (!adapter_here()) return;
  for (const Case& c : kCases) {
    if (c.op == OpId::ball_sgd_step) continue;
    double worst = 0.0;
    double at_rim = 0.0;
    for (const double kappa : kKappas) {
      for (const std::int64_t cols : {1, 2, 5, 32, 64, 300}) {
        worst = std::max(worst, compare(c, operands(c, 65, cols, kappa, kInnerNorms, kShortNorms),
                                        65, cols, kappa, 1e-5, 1e-5));
        // In one column a clamped point's gradient is a difference that cancels wholly, of terms up
        // to 10^18: what is left is what a device's roundings happen to leave.
        if (cols == 1) continue;
        at_rim = std::max(at_rim, compare(c, operands(c, 65, cols, kappa, kPointNorms, kShortNorms),
                                          65, cols, kappa, 1e-2, 1e-2));
      }
    }
    const bool long_rows = c.op == OpId::ball_geodesic || c.op == OpId::ball_gyration;
    for (const std::int64_t rows :
         long_rows ? std::vector<std::int64_t>{1, 3} : std::vector<std::int64_t>{}) {
      worst = std::max(worst, compare(c, operands(c, rows, 600, 1.0, kInnerNorms, kShortNorms),
                                      rows, 600, 1.0, 1e-5, 1e-5));
    }
    MESSAGE(spiraltorch::kOps[static_cast<std::size_t>(c.op)].name << " gradient: " << worst
                                                                   << ", at the rim " << at_rim);
  }
}

TEST_CASE("ball: gradients of repeated rows, of some operands, of rows that are not finite") {
  if (!adapter_here()) return;
  const std::int64_t rows = 37;
  for (const Case& c : kCases) {
    if (c.op == OpId::ball_sgd_step) continue;
    const std::vector<In> whole = operands(c, rows, 5, 1.0, kInnerNorms, kShortNorms);
    const std::size_t count = whole.size();
    for (std::size_t k = 0; k < count; ++k) {
      std::vector<In> in = whole;
      if (c.roles[k] != 't') {
        in[k].words[3 * 5 + 1] = 0x7fc00000U;
        in[k].words[7 * 5 + 4] = 0x7f800000U;
        compare(c, in, rows, 5, 1.0, 1e-5, 1e-5);
      }
      if (count == 1) continue;
      in = whole;
      in[k] = repeated_row(operands(c, 1, 5, 1.0, kInnerNorms, kShortNorms)[k], rows);
      compare(c, in, rows, 5, 1.0, 1e-5, 1e-5);
      // Only the gradient by operand k, with g repeated.
      in.push_back(repeated_row(normal(1, width(c, 5), 78), rows));
      const Out out{{rows, c.roles[k] == 't' ? 1 : 5}};
      const std::vector<std::int64_t> ints{static_cast<std::int64_t>(c.op), 0, 1 << k};
      const Words got = run(kWgpu, OpId::ball_grad, in, {out}, {1.0}, ints)[0];
      const Words expected = run(kCpu, OpId::ball_grad, in, {out}, {1.0}, ints)[0];
      check_rows(as_floats(got), as_floats(expected), out.shape.cols, 1e-5, 1e-5);
    }
    if (c.op == OpId::ball_dist) compare(c, whole, rows, 5, 1.0, 1e-5, 1e-5, 1);
  }
}

TEST_CASE("ball: gradients at extreme curvatures") {
  if (!adapter_here()) return;
  for (const Case& c : kCases) {
    if (c.op == OpId::ball_sgd_step) continue;
    for (const double kappa : {1e-12, 3e-5, 7e4, 1e12}) {
      std::vector<In> in = operands(c, 37, 5, kappa, kInnerNorms);
      for (std::size_t k = 0; k < in.size(); ++k) {  // vectors of the points' scale
        if (c.roles[k] == 'v') in[k] = rows_of_norms(37, 5, kappa, {1.0, 0.0, 1e-3, 3.0}, 8);
      }
      compare(c, in, 37, 5, kappa, 1e-5, 1e-5);
    }
  }
}
