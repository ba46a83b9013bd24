#pragma once

#include <span>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/parameter.hpp"

namespace spiraltorch::optim {

/// √(Σ_Euclidean‖∇‖² + Σ_ball rows‖∇‖²/λ_x²): each manifold's own norm. A parameter without a
/// gradient counts 0; not finite where a gradient is not. One pass a gradient, and on a device one
/// read by the host.
[[nodiscard]] SPIRALTORCH_API double gradient_norm(std::span<const nn::Parameter> parameters);

/// The norm, and beside it the sums of squares of further tensors, which are on the first
/// parameter's device, by the same read.
struct WatchedNorm {
  double norm = 0.0;
  std::vector<double> squares{};
};
[[nodiscard]] SPIRALTORCH_API WatchedNorm gradient_norm(std::span<const nn::Parameter> parameters,
                                                        std::span<const Tensor> watched);

/// Returns that norm n; if n > max_norm, gradients become ∇·max_norm/n (Pascanu et al. 2013).
/// `non_finite` for n; `invalid_value` unless max_norm > 0.
SPIRALTORCH_API double clip_grad_norm_(std::span<nn::Parameter> parameters, double max_norm);

}  // namespace spiraltorch::optim
