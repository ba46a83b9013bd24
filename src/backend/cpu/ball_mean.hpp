#pragma once

#include <cstdint>
#include <vector>

#include "backend/means.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"

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

using means::ball_clamp_factor;

/// Σwλx, then Σw(λ − 1): NaN if a row is not finite.
[[nodiscard]] std::vector<double> gyromidpoint_sums(const WeightedRows& points);

/// Normalised Lorentz centroid (Law et al. 2019) in gyrovector form; NaN if a row is not finite.
[[nodiscard]] std::vector<double> weighted_gyromidpoint(const WeightedRows& points);

/// Karcher (1977) flow with a safe step (Lou et al. 2020); throws `not_converged`.
[[nodiscard]] std::vector<double> frechet_mean(const WeightedRows& points, double tolerance,
                                               std::int64_t max_iterations);

/// Sums `width` numbers a row over all rows, in fixed blocks combined in order:
/// add_row(i, sums) adds row i's.
template <class F>
std::vector<double> sum_rows(std::int64_t rows, std::int64_t width, F add_row,
                             std::int64_t block = 256) {
  const std::int64_t blocks = (rows + block - 1) / block;
  std::vector<double> parts(static_cast<std::size_t>(blocks * width), 0.0);
  parallel_blocks(rows, block, [&](std::int64_t b, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) add_row(i, parts.data() + b * width);
  });
  std::vector<double> out(parts.begin(), parts.begin() + width);
  for (std::int64_t b = 1; b < blocks; ++b) {
    for (std::int64_t j = 0; j < width; ++j) {
      out[static_cast<std::size_t>(j)] += parts[static_cast<std::size_t>(b * width + j)];
    }
  }
  return out;
}

}  // namespace spiraltorch::cpu
