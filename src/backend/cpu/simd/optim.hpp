#pragma once

#include <cstdint>

// Optimiser steps of rows, one version per instruction set. Everything is evaluated in double and
// rounded once on store.
namespace spiraltorch::cpu {

/// What a rule is made of; `beta1` is SGD's momentum.
struct OptimRule {
  bool adam = false;
  bool nesterov = false;
  bool decoupled = false;  ///< decay of the weights themselves (AdamW)
  double kappa = 0.0;      ///< 0: flat
  double rate = 0.0;
  double decay = 0.0;
  double beta1 = 0.0;
  double beta2 = 0.0;
  double eps = 0.0;
  double correction1 = 1.0;  ///< 1 − β₁ᵗ
  double correction2 = 1.0;  ///< 1 − β₂ᵗ
};

/// Gradient, weights and state of one parameter. Absent state is null.
struct OptimRows {
  const float* g = nullptr;
  float* w = nullptr;
  float* first = nullptr;
  float* second = nullptr;  ///< on the ball one number a row
  float* most = nullptr;    ///< amsgrad's maximum of `second`
  std::int64_t count = 0;   ///< rows
  std::int64_t cols = 0;
};

struct OptimTable {
  /// Euclidean: rows·cols elements in sequence.
  void (*flat)(const OptimRule& rule, const OptimRows& rows);
  /// On the ball.
  void (*ball)(const OptimRule& rule, const OptimRows& rows);
  /// Σ |g|²/λ² over the rows.
  double (*ball_squares)(double kappa, const float* w, const float* g, std::int64_t count,
                         std::int64_t cols);
  /// Whether a run of n elements is all zero (of either sign).
  bool (*all_zero)(const float* x, std::int64_t n);
};

[[nodiscard]] const OptimTable& optim_table();

}  // namespace spiraltorch::cpu
