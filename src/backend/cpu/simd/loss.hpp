#pragma once

#include <cstdint>

// Losses of one contiguous run, in double, a version per instruction set. Gradients are rounded
// once and written where `g` is not null.
namespace spiraltorch::cpu {

/// z = slope·p + shift, τ = t within [low, high].
struct LogisticTerms {
  double slope;
  double shift;
  double low;
  double high;
};

struct LossTable {
  /// Σ(p − t)²; g = factor·(p − t).
  double (*squared_error)(const float* p, const float* t, std::int64_t n, double factor, float* g);
  /// Σ softplus(z) − τz; g = factor·(σ(z) − τ).
  double (*logistic)(const float* p, const float* t, std::int64_t n, const LogisticTerms& terms,
                     double factor, float* g);
  /// out = exp(x − shift); returns their sum.
  double (*exp_shifted)(const float* x, double shift, double* out, std::int64_t n);
  /// g = factor·e − scale·t, without t factor·e.
  void (*softmax_less_target)(const double* e, double factor, const float* t, double scale,
                              std::int64_t n, float* g);
};

[[nodiscard]] const LossTable& loss_table();

}  // namespace spiraltorch::cpu
