#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

/// Drops elements at random in training (Srivastava et al. 2014): one request of N words to the
/// process-wide generator, an element is kept where (word >> 8) ≥ ⌈p·2²⁴⌉ and scaled by
/// fl32(1/(1-p)). With p = 0 or in evaluation the identity, without a request.
class SPIRALTORCH_API Dropout final : public Module {
 public:
  /// 0 ≤ p < 1, else `invalid_value`.
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] double p() const noexcept { return p_; }
  [[nodiscard]] std::string repr() const override;

 private:
  double p_;
};

struct LayerNormOptions {
  bool affine = true;
};

/// Rows to mean 0 and variance 1, then ⊙ weight + bias (Ba et al. 2016): x̂ = (x-μ)/√(σ²+ε).
class SPIRALTORCH_API LayerNorm final : public Module {
 public:
  /// dim ≥ 1, eps finite and > 0.
  explicit LayerNorm(std::int64_t dim, double eps = 1e-5, std::string name = "layer_norm",
                     LayerNormOptions options = {});
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] const std::optional<Parameter>& weight() const noexcept { return weight_; }
  [[nodiscard]] const std::optional<Parameter>& bias() const noexcept { return bias_; }
  [[nodiscard]] std::string repr() const override;

 private:
  std::int64_t dim_;
  double eps_;
  std::string name_;
  std::optional<Parameter> weight_;
  std::optional<Parameter> bias_;
};

}  // namespace spiraltorch::nn
