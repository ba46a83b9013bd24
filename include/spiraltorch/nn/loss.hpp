#pragma once

#include <memory>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::nn {

/// A loss' number and its derivative by the prediction.
struct LossResult {
  Tensor value;     ///< (1,1), not tracked
  Tensor gradient;  ///< of the prediction's shape
};

/// A number to be made small: `forward(prediction, target)` is (1,1) and differentiable by the
/// prediction; a tracked target is `unsupported` unless its class says otherwise.
///
/// Errors: `shape_mismatch` for shapes that do not fit, `invalid_value` for values that do not.
class SPIRALTORCH_API Loss {
 public:
  Loss() = default;
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;
  virtual ~Loss() = default;

  [[nodiscard]] virtual Tensor forward(const Tensor& prediction, const Tensor& target) const = 0;
  /// The derivative by the prediction.
  [[nodiscard]] Tensor backward(const Tensor& prediction, const Tensor& target) const;
  /// Both at once, as a training step needs them; the prediction's own graph is left alone.
  [[nodiscard]] virtual LossResult value_and_gradient(const Tensor& prediction,
                                                      const Tensor& target) const;
  [[nodiscard]] virtual std::string repr() const = 0;
};

/// Σ(p - t)²/N; differentiable by the target too.
class SPIRALTORCH_API MeanSquaredError final : public Loss {
 public:
  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override;
  [[nodiscard]] LossResult value_and_gradient(const Tensor& prediction,
                                              const Tensor& target) const override;
  [[nodiscard]] std::string repr() const override { return "MeanSquaredError()"; }
};

/// -(1/B)ΣΣ t·log softmax(p). The prediction has at least two columns; the target is a column of
/// class numbers, or rows of probabilities: >= 0, with sum 1 ± 10⁻⁴.
class SPIRALTORCH_API CrossEntropy final : public Loss {
 public:
  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override;
  [[nodiscard]] LossResult value_and_gradient(const Tensor& prediction,
                                              const Tensor& target) const override;
  [[nodiscard]] std::string repr() const override { return "CrossEntropy()"; }
};

}  // namespace spiraltorch::nn
