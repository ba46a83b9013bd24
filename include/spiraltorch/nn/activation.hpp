#pragma once

#include <cstdint>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

/// max(x, 0); NaN stays NaN.
class SPIRALTORCH_API Relu final : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] std::string repr() const override { return "Relu()"; }
};

/// How Gelu is evaluated: exactly, or ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
enum class GeluKind : std::uint8_t { exact, tanh };

/// xΦ(x) (Hendrycks & Gimpel 2016); |error| ≤ 2·10⁻⁷·max(1, |x|).
class SPIRALTORCH_API Gelu final : public Module {
 public:
  explicit Gelu(GeluKind kind = GeluKind::exact) : kind_(kind) {}
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] std::string repr() const override;

 private:
  GeluKind kind_;
};

class SPIRALTORCH_API Tanh final : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] std::string repr() const override { return "Tanh()"; }
};

/// 1/(1 + e⁻ˣ), without overflow.
class SPIRALTORCH_API Sigmoid final : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] std::string repr() const override { return "Sigmoid()"; }
};

/// Over each row, the maximum subtracted.
class SPIRALTORCH_API Softmax final : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] std::string repr() const override { return "Softmax()"; }
};

}  // namespace spiraltorch::nn
