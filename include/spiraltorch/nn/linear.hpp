#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

/// Initial values: Kaiming-uniform with leaky slope √5, W within gain/√in and b within 1/√in (He et
/// al. 2015, gain √6 for ReLU); Glorot & Bengio (2010), W within gain·√(6/(in+out)), b = 0; zeros.
enum class Init : std::uint8_t { kaiming, xavier, zeros };

struct LinearOptions {
  bool bias = true;
  Init init = Init::kaiming;
  double gain = 1.0;
};

/// Y = XW + 1bᵀ, W of shape (input_dim, output_dim). O(B·in·out).
class SPIRALTORCH_API Linear final : public Module {
 public:
  /// Sizes ≥ 1, gain finite and > 0: `invalid_value`, `non_finite`.
  Linear(std::int64_t input_dim, std::int64_t output_dim, std::string name = "linear",
         LinearOptions options = {});

  Tensor forward(const Tensor& input) override;
  /// Followed by Relu in the same operation.
  [[nodiscard]] Tensor forward(const Tensor& input, bool relu) const;
  [[nodiscard]] const Parameter& weight() const noexcept { return weight_; }
  [[nodiscard]] const std::optional<Parameter>& bias() const noexcept { return bias_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string repr() const override;

 private:
  std::string name_;
  LinearOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace spiraltorch::nn
