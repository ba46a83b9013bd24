#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

// What every back end does on the host, in double, with sums over weighted points of the ball.
namespace spiraltorch::means {

using Vector = std::vector<double>;

[[nodiscard]] inline double inner(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Brings scaled norm s = √κ|x| back into the ball: 1 for a point inside.
[[nodiscard]] inline double ball_clamp_factor(double s) {
  return s > kBallMax * kBallSlack ? kBallMax / s : 1.0;
}

inline void clamp(Vector& x, double kappa) {
  const double factor = ball_clamp_factor(std::sqrt(kappa * inner(x, x)));
  if (factor == 1.0) return;
  for (double& v : x) v *= factor;
}

/// Normalised Lorentz centroid (Law et al. 2019) in gyrovector form, of Σwλx and, behind it,
/// Σw(λ − 1).
[[nodiscard]] inline Vector gyromidpoint_of(Vector sums, double kappa) {
  const double weight = sums.back();
  sums.pop_back();
  for (double& v : sums) v /= weight;
  // ½ ⊗ m = m / (1 + √(1 − κ|m|²)).
  const double half = 1.0 / (1.0 + std::sqrt(std::max(0.0, 1.0 - kappa * inner(sums, sums))));
  for (double& v : sums) v *= half;
  clamp(sums, kappa);
  return sums;
}

/// h⁻¹g by Cholesky's factorisation of the lower triangle.
[[nodiscard]] inline Vector solve(Vector h, Vector g) {
  const std::size_t n = g.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      double sum = h[j * n + k];
      for (std::size_t l = 0; l < k; ++l) sum -= h[j * n + l] * h[k * n + l];
      h[j * n + k] = j == k ? std::sqrt(sum) : sum / h[k * n + k];
    }
    for (std::size_t k = 0; k < j; ++k) g[j] -= h[j * n + k] * g[k];
    g[j] /= h[j * n + j];
  }
  for (std::size_t j = n; j-- > 0;) {
    for (std::size_t k = j + 1; k < n; ++k) g[j] -= h[k * n + j] * g[k];
    g[j] /= h[j * n + j];
  }
  return g;
}

/// Length of v at m, up to a factor of 2/√κ.
[[nodiscard]] inline double riemannian_norm(const Vector& m, const Vector& v, double kappa) {
  return std::sqrt(inner(v, v)) / (1.0 - kappa * inner(m, m));
}

struct Descent {
  double kappa;
  double tolerance;
  std::int64_t max_iterations;
  double rounding;  ///< share of the objective that is rounding
};

/// Karcher (1977) flow with a safe step (Lou et al. 2020) from m. flow_at(m) has a gradient, the
/// bound of a safe step and the objective; exponential(m, g, t) is exp_m(t·g). Throws
/// `not_converged`.
template <class FlowAt, class Exponential>
[[nodiscard]] Vector karcher_flow(Vector m, const Descent& d, FlowAt&& flow_at,
                                  Exponential&& exponential) {
  auto flow = flow_at(m);
  double norm = 0.0;
  for (std::int64_t i = 0; i <= d.max_iterations; ++i) {
    norm = 2.0 * std::sqrt(d.kappa * inner(flow.gradient, flow.gradient)) /
           (1.0 - d.kappa * inner(m, m));
    if (norm <= d.tolerance) return m;
    double t = 1.0 / flow.step_bound;
    Vector next = exponential(m, flow.gradient, t);
    auto after = flow_at(next);
    const double ceiling = flow.objective * (1.0 + d.rounding);
    while (after.objective > ceiling && t > 1e-12) {
      t *= 0.5;
      next = exponential(m, flow.gradient, t);
      after = flow_at(next);
    }
    m = std::move(next);
    flow = std::move(after);
  }
  fail(Errc::not_converged, "frechet_mean",
       text("scaled gradient norm after ", d.max_iterations, " iterations: got ", norm,
            ", expected at most ", d.tolerance));
}

}  // namespace spiraltorch::means
