#pragma once

#include <string_view>

#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::nn {

/// `device` for operands on two devices; `unsupported` for a target whose gradient is asked for and
/// not available.
void check_target(std::string_view op, const Tensor& prediction, const Tensor& target,
                  bool may_be_tracked);

}  // namespace spiraltorch::nn
