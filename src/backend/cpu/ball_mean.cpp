#include "backend/cpu/ball_mean.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

using Vector = std::vector<double>;

using means::inner;

double row_factor(const WeightedRows& p, std::int64_t i) {
  double n = 0.0;
  for (std::int64_t j = 0; j < p.cols; ++j) {
    const double v = p.x[i * p.cols + j];
    n += v * v;
  }
  return std::isfinite(n) ? ball_clamp_factor(std::sqrt(p.kappa * n))
                          : std::numeric_limits<double>::quiet_NaN();
}

// One evaluation of the flow at m: gradient Σ w log_m(x), L = Σ w ρ coth ρ, objective Σ w ρ².
struct Flow {
  Vector gradient;
  double step_bound;
  double objective;
};

Flow evaluate(const WeightedRows& p, const Vector& m, double total) {
  const double mm = inner(m, m);
  const double cm = 1.0 - p.kappa * mm;
  Vector sums = sum_rows(p.rows, p.cols + 2, [&](std::int64_t i, double* out) {
    const double factor = row_factor(p, i);
    const float* row = p.x + i * p.cols;
    double xx = 0.0;
    double ss = 0.0;
    for (std::int64_t j = 0; j < p.cols; ++j) {
      const double v = factor * row[j];
      const double d = v - m[static_cast<std::size_t>(j)];
      xx += v * v;
      ss += d * d;
    }
    const double cx = 1.0 - p.kappa * xx;
    const double d = p.kappa * ss + cm * cx;
    const double half = std::asinh(std::sqrt(p.kappa * ss / (cm * cx)));  // ρ/2
    const double w = p.w[i] / total;
    const double length = std::sqrt(p.kappa * ss / d);
    const double f = length == 0.0 ? 0.0 : w * cm * half / length;
    const double on_m = -f * (p.kappa * ss + cm) / d;
    const double on_x = f * cm / d * factor;
    for (std::int64_t j = 0; j < p.cols; ++j) {
      out[j] += on_m * m[static_cast<std::size_t>(j)] + on_x * row[j];
    }
    const double rho = 2.0 * half;
    out[p.cols] += w * (rho < 1e-8 ? 1.0 : rho / std::tanh(rho));
    out[p.cols + 1] += w * rho * rho;
  });
  const double bound = sums[static_cast<std::size_t>(p.cols)];
  const double objective = sums[static_cast<std::size_t>(p.cols) + 1];
  sums.resize(static_cast<std::size_t>(p.cols));
  return {std::move(sums), bound, objective};
}

// exp_m(t·g).
Vector step(const Vector& m, const Vector& g, double t, double kappa) {
  const double mm = inner(m, m);
  const double cm = 1.0 - kappa * mm;
  const double length = std::sqrt(kappa * inner(g, g)) * t;
  if (length == 0.0) return m;
  const double k = std::tanh(length / cm) / length * t;
  const double yy = k * k * inner(g, g);
  const double my = k * inner(m, g);
  const double ss = std::max(0.0, mm + 2.0 * my + yy);
  const double d = kappa * ss + cm * (1.0 - kappa * yy);
  Vector out(m.size());
  for (std::size_t j = 0; j < m.size(); ++j) {
    out[j] = ((kappa * ss + cm) * m[j] + cm * k * g[j]) / d;
  }
  means::clamp(out, kappa);
  return out;
}

}  // namespace

WeightedRows rows_of(const KernelArgs& args) {
  return {data<const float>(args.in[0]), data<const float>(args.in[1]), args.in[0].rows,
          args.in[0].cols, args.scalars[0]};
}

Vector gyromidpoint_sums(const WeightedRows& p) {
  return sum_rows(p.rows, p.cols + 1, [&](std::int64_t i, double* out) {
    const double factor = row_factor(p, i);
    const float* row = p.x + i * p.cols;
    double n = 0.0;
    for (std::int64_t j = 0; j < p.cols; ++j) n += factor * row[j] * factor * row[j];
    const double c = 1.0 - p.kappa * n;
    const double weighted = p.w[i] * 2.0 / c;  // wλ
    for (std::int64_t j = 0; j < p.cols; ++j) out[j] += weighted * factor * row[j];
    out[p.cols] += p.w[i] * (1.0 + p.kappa * n) / c;  // w(λ − 1)
  });
}

Vector weighted_gyromidpoint(const WeightedRows& p) {
  return means::gyromidpoint_of(gyromidpoint_sums(p), p.kappa);
}

Vector frechet_mean(const WeightedRows& p, double tolerance, std::int64_t max_iterations) {
  Vector m = weighted_gyromidpoint(p);
  if (!std::isfinite(inner(m, m))) return m;
  const double total = std::accumulate(p.w, p.w + p.rows, 0.0);
  return means::karcher_flow(
      std::move(m), {p.kappa, tolerance, max_iterations, 1e-14},
      [&](const Vector& at) { return evaluate(p, at, total); },
      [&](const Vector& at, const Vector& g, double t) { return step(at, g, t, p.kappa); });
}

}  // namespace spiraltorch::cpu
