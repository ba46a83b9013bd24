#pragma once

#include <optional>

#include "spiraltorch/nn/parameter.hpp"

namespace spiraltorch::optim {

/// The accumulated gradient. A tape that nothing came to has its zeros on the host, wherever the
/// parameter is.
inline std::optional<Tensor> gradient_of(const nn::Parameter& p) {
  auto gradient = p.grad();
  if (gradient && p.tape() != nullptr) gradient = gradient->to(p.device());
  return gradient;
}

}  // namespace spiraltorch::optim
