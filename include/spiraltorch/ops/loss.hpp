#pragma once

#include <optional>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Losses as one operation: value and gradient from one pass over prediction p and target t.
/// Nothing is recorded; shapes are the caller's to check. Evaluated in double (on devices without:
/// float32), rounded once. A target or prediction that does not fit makes the value NaN.
namespace spiraltorch::ops {

struct LossParts {
  Tensor value;                    ///< (1,1)
  std::optional<Tensor> gradient;  ///< by p, where it was asked for
};

/// Σ(p − t)²/N.
[[nodiscard]] SPIRALTORCH_API LossParts squared_error(const Tensor& p, const Tensor& t,
                                                      bool gradient);

/// −(1/B)ΣΣ t·log softmax(p), t a column of classes or rows of probabilities (>= 0, sum 1 ± 10⁻⁴).
[[nodiscard]] SPIRALTORCH_API LossParts cross_entropy(const Tensor& p, const Tensor& t,
                                                      bool gradient);

struct LogisticOptions {
  double slope = 1.0;
  double shift = 0.0;
  double low = 0.0;
  double high = 1.0;
  bool checked = false;  ///< p must be >= 0 (or NaN) and t in [0, 1]
};
/// mean[softplus(z) − τz], z = slope·p + shift, τ = t within [low, high].
[[nodiscard]] SPIRALTORCH_API LossParts logistic_loss(const Tensor& p, const Tensor& t,
                                                      const LogisticOptions& options,
                                                      bool gradient);

}  // namespace spiraltorch::ops
