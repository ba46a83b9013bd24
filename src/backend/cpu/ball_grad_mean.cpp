#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "backend/cpu/ball_mean.hpp"
#include "backend/cpu/ball_stage.hpp"
#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Gradient of the Fréchet mean by the implicit function theorem: the mean m solves
// Σ w log_m(x) = 0, whose derivative by m is −H, so a = H⁻¹g pulled back through each w·log_m(x) is
// the gradient.
namespace spiraltorch::cpu {
namespace {

using means::riemannian_norm;
using means::solve;
using means::Vector;

// log_m of row i; the stage can be pulled back after.
class LogAt {
 public:
  LogAt(const WeightedRows& rows, const Vector& m)
      : rows_(rows), m_(m), stage_(rows.cols), value_(m.size()), point_(m.size()) {}

  const Vector& evaluate(std::int64_t i) {
    factor_ = load_point(rows_.x + i * rows_.cols, -1.0, rows_.kappa, point_);
    stage_.evaluate(coefficients::logmap, {m_.data(), point_.data()}, rows_.kappa);
    stage_.value(value_.data());
    return value_;
  }

  // ∂⟨a, log⟩/∂x of the row evaluated last.
  void pull_back(const Vector& a, Vector& gradient) const {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    StageGradients into{.b = gradient.data()};
    stage_.pull_back(a.data(), 0.0, into);
    clamp_gradient(point_.data(), factor_, rows_.cols, gradient.data());
    for (double& v : gradient) v = -v;  // the stage's row is −x
  }

 private:
  const WeightedRows& rows_;
  const Vector& m_;
  Stage stage_;
  Vector value_, point_;
  double factor_ = 1.0;
};

// Σ w log_m(x), and its negative derivative H = Σ w [uuᵀ + ρ coth ρ (I − uuᵀ)], u along log_m(x)
// and ρ = √κ d(m, x); weights of sum 1. The lower triangle, row-major.
struct Flow {
  Vector hessian, value;
};
Flow flow_at(const WeightedRows& p, const Vector& m, double total) {
  const auto n = static_cast<std::int64_t>(m.size());
  const double scale = 2.0 * std::sqrt(p.kappa) / (1.0 - p.kappa * dot(m.data(), m.data(), n));
  const auto add_row = [&](std::int64_t i, double* sums) {
    LogAt log(p, m);
    const double* v = log.evaluate(i).data();
    const double squares = dot(v, v, n);
    const double rho = scale * std::sqrt(squares);
    const double w = p.w[i] / total;
    const double across = rho < 1e-8 ? 1.0 : rho / std::tanh(rho);
    const double along = squares == 0.0 ? 0.0 : w * (1.0 - across) / squares;
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t k = 0; k <= j; ++k) sums[j * n + k] += along * v[j] * v[k];
      sums[j * n + j] += w * across;
      sums[n * n + j] += w * v[j];
    }
  };
  // At most 16 partial matrices.
  const std::int64_t block = std::max<std::int64_t>(256, (p.rows + 15) / 16);
  Vector sums = sum_rows(p.rows, n * n + n, add_row, block);
  Vector value(sums.end() - n, sums.end());
  sums.resize(static_cast<std::size_t>(n * n));
  return {std::move(sums), std::move(value)};
}

// exp_m(v).
Vector exponential(const Vector& m, const Vector& v, double kappa) {
  const auto n = static_cast<std::int64_t>(m.size());
  Stage step(n);
  Stage sum(n);
  Vector w(m.size());
  Vector out(m.size());
  step.evaluate(coefficients::expmap_step, {.a = m.data(), .v = v.data()}, kappa);
  step.value(w.data());
  sum.evaluate(coefficients::mobius_sum, {m.data(), w.data()}, kappa);
  sum.value(out.data());
  clamp_row(out.data(), n, kappa);
  return out;
}

void frechet_mean_grad(const KernelArgs& args) {
  const WeightedRows p = rows_of(args);
  const float* mean = data<const float>(args.in[2]);
  const float* g = data<const float>(args.in[3]);
  const double total = std::accumulate(p.w, p.w + p.rows, 0.0);
  // The mean arrives rounded to float32, which near the rim is far: Newton's steps regain it.
  Vector m(mean, mean + p.cols);
  Flow flow = flow_at(p, m, total);
  for (int step = 0; step < 2; ++step) {
    const Vector next = exponential(m, solve(flow.hessian, flow.value), p.kappa);
    Flow after = flow_at(p, next, total);
    if (!(riemannian_norm(next, after.value, p.kappa) < riemannian_norm(m, flow.value, p.kappa))) {
      break;
    }
    m = next;
    flow = std::move(after);
  }
  const Vector a = solve(std::move(flow.hessian), Vector(g, g + p.cols));
  const auto grain = std::max<std::int64_t>(1, 8192 / (p.cols + 32));
  parallel_for(p.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    LogAt log(p, m);
    Vector gradient(a.size());
    for (std::int64_t i = begin; i < end; ++i) {
      const double by_weight = dot(a.data(), log.evaluate(i).data(), p.cols) / total;
      log.pull_back(a, gradient);
      const double w = p.w[i] / total;
      std::transform(gradient.begin(), gradient.end(), data<float>(args.out[0]) + i * p.cols,
                     [w](double v) { return static_cast<float>(w * v); });
      data<float>(args.out[1])[i] = static_cast<float>(by_weight);
    }
  });
}

}  // namespace

void register_ball_grad_mean(KernelTable& table) {
  set_kernel(table, OpId::ball_frechet_mean_grad, frechet_mean_grad);
}

}  // namespace spiraltorch::cpu
