#pragma once

#include <cstdint>

// What stands around the product of nn.PoincareLinear: y = exp0(t) ⊕ b of rows t, with clamps, its
// gradient, and that of log0; in double, a version per instruction set.
namespace spiraltorch::cpu {

/// `rows` rows t; b (cols) is a point inside the ball, or null.
struct AffineJob {
  const float* t;
  const double* b;
  std::int64_t rows;
  std::int64_t cols;
  double kappa;
};

struct AffineTable {
  /// y (rows, cols).
  void (*forward)(const AffineJob& job, float* y);
  /// by_t (rows, cols); the gradient by b, summed over rows, is added to by_b (cols) if not null.
  void (*backward)(const AffineJob& job, const float* g, float* by_t, double* by_b);
  /// by_x (rows, cols) of log0 of the rows t, g beside them; b is not read.
  void (*log_backward)(const AffineJob& job, const float* g, float* by_x);
};

[[nodiscard]] const AffineTable& affine_table();

}  // namespace spiraltorch::cpu
