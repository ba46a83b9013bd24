#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/ball_mean.hpp"
#include "backend/cpu/ball_stage.hpp"
#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Gradients of the operations of the ball in which rows meet: distances of all pairs, and the
// gyromidpoint.
namespace spiraltorch::cpu {
namespace {

using Vector = std::vector<double>;

void store(const Vector& from, float* to) {
  std::transform(from.begin(), from.end(), to, [](double v) { return static_cast<float>(v); });
}

void dist_matrix_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.in[1];
  const KernelOperand& g = args.in[2];
  const double kappa = args.scalars[0];
  const auto cols = static_cast<std::size_t>(x.cols);
  parallel_for(x.rows, 1, [&](std::int64_t begin, std::int64_t end) {
    Stage stage(x.cols);
    Vector a(cols), b(cols), gradient(cols);
    for (std::int64_t i = begin; i < end; ++i) {
      const double factor = load_point(data<const float>(x) + i * x.cols, 1.0, kappa, a);
      std::fill(gradient.begin(), gradient.end(), 0.0);
      StageGradients into{.a = gradient.data()};
      for (std::int64_t j = 0; j < y.rows; ++j) {
        const double other = load_point(data<const float>(y) + j * y.cols, -1.0, kappa, b);
        const double weight = data<const float>(g)[i * g.row_stride + j * g.col_stride];
        stage.evaluate(coefficients::dist, {a.data(), b.data()}, kappa);
        stage.pull_back(nullptr, std::isnan(other) ? other : weight, into);
      }
      clamp_gradient(a.data(), factor, x.cols, gradient.data());
      store(gradient, data<float>(args.out[0]) + i * x.cols);
    }
  });
}

// Gradients by Σwλx and, last, by Σw(λ − 1).
Vector sums_gradient(Vector sums, const float* g, double kappa) {
  const double weight = sums.back();
  sums.pop_back();
  const auto cols = static_cast<std::int64_t>(sums.size());
  for (double& v : sums) v /= weight;
  Stage stage(cols);
  stage.evaluate(coefficients::half, {sums.data()}, kappa);
  Vector point(sums.size());
  stage.value(point.data());
  Vector incoming(g, g + cols);
  const double factor = clamp_row(point.data(), cols, kappa);
  clamp_gradient(point.data(), factor, cols, incoming.data());
  Vector out(sums.size() + 1, 0.0);
  StageGradients into{.a = out.data()};
  stage.pull_back(incoming.data(), 0.0, into);
  for (double& v : out) v /= weight;
  out.back() = -dot(out.data(), sums.data(), cols);
  return out;
}

void gyromidpoint_grad(const KernelArgs& args) {
  const WeightedRows p = rows_of(args);
  const Vector g = sums_gradient(gyromidpoint_sums(p), data<const float>(args.in[3]), p.kappa);
  const auto grain = std::max<std::int64_t>(1, 8192 / (p.cols + 32));
  parallel_for(p.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    Stage stage(p.cols);
    Vector a(static_cast<std::size_t>(p.cols));
    Vector gradient(a.size());
    for (std::int64_t i = begin; i < end; ++i) {
      const double factor = load_point(p.x + i * p.cols, 1.0, p.kappa, a);
      std::fill(gradient.begin(), gradient.end(), 0.0);
      stage.evaluate(coefficients::weighted, {.a = a.data(), .t = p.w[i]}, p.kappa);
      StageGradients into{.a = gradient.data()};
      stage.pull_back(g.data(), g.back(), into);
      clamp_gradient(a.data(), factor, p.cols, gradient.data());
      store(gradient, data<float>(args.out[0]) + i * p.cols);
      data<float>(args.out[1])[i] = static_cast<float>(into.t);
    }
  });
}

}  // namespace

void register_ball_grad_sums(KernelTable& table) {
  set_kernel(table, OpId::ball_dist_matrix_grad, dist_matrix_grad);
  set_kernel(table, OpId::ball_gyromidpoint_grad, gyromidpoint_grad);
}

}  // namespace spiraltorch::cpu
