#pragma once

#include <optional>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Elementwise operations. Binary ones broadcast a (1,c), (r,1) or (1,1) operand
/// (`shape_mismatch` otherwise); arithmetic follows IEEE 754. All are differentiable; where no
/// derivative exists the chosen value stands beside the function.
namespace spiraltorch::ops {

[[nodiscard]] SPIRALTORCH_API Tensor add(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor sub(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor mul(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor div(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor scale(const Tensor& x, double value);
[[nodiscard]] SPIRALTORCH_API Tensor neg(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor pow(const Tensor& x, double exponent);
[[nodiscard]] SPIRALTORCH_API Tensor exp(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor log(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor tanh(const Tensor& x);
/// Without overflow for any x.
[[nodiscard]] SPIRALTORCH_API Tensor sigmoid(const Tensor& x);
/// Derivative 0 at 0.
[[nodiscard]] SPIRALTORCH_API Tensor relu(const Tensor& x);
/// xΦ(x) (Hendrycks & Gimpel 2016), |error| ≤ 2·10⁻⁷·max(1, |x|), and its form by tanh.
[[nodiscard]] SPIRALTORCH_API Tensor gelu(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor gelu_tanh(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor sqrt(const Tensor& x);
/// Derivative 0 at 0.
[[nodiscard]] SPIRALTORCH_API Tensor abs(const Tensor& x);
/// Derivative 1 on [min, max]; NaN stays. `invalid_value` without a bound or with min > max.
[[nodiscard]] SPIRALTORCH_API Tensor clamp(const Tensor& x, std::optional<double> min,
                                           std::optional<double> max);
/// √(a² + b²) without overflow, and the angle of (b, a): atan2(a, b). Not differentiable.
[[nodiscard]] SPIRALTORCH_API Tensor hypot(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor atan2(const Tensor& a, const Tensor& b);

}  // namespace spiraltorch::ops
