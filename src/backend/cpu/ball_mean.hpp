#pragma once

#include <cstdint>
#include <vector>

#include "spiraltorch/runtime/kernel.hpp"

// Means of weighted points of the Poincaré ball, in double.
namespace spiraltorch::cpu {

/// Points in rows, weights beside them (any positive sum).
struct WeightedRows {
  const float* x;
  const float* w;
  std::int64_t rows;
  std::int64_t cols;
  double kappa;
};

[[nodiscard]] WeightedRows rows_of(const KernelArgs& args);

/// Brings scaled norm s = √κ|x| back into the ball: 1 for a point inside.
[[nodiscard]] double ball_clamp_factor(double s);

/// Σwλx, then Σw(λ − 1): NaN if a row is not finite.
[[nodiscard]] std::vector<double> gyromidpoint_sums(const WeightedRows& points);

/// Normalised Lorentz centroid (Law et al. 2019) in gyrovector form; NaN if a row is not finite.
[[nodiscard]] std::vector<double> weighted_gyromidpoint(const WeightedRows& points);

/// Karcher (1977) flow with a safe step (Lou et al. 2020); throws `not_converged`.
[[nodiscard]] std::vector<double> frechet_mean(const WeightedRows& points, double tolerance,
                                               std::int64_t max_iterations);

}  // namespace spiraltorch::cpu
