#pragma once

#include <string_view>
#include <vector>

#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/ops/loss.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::nn {

/// `device` for operands on two devices; `unsupported` for a target whose gradient is asked for and
/// not available.
void check_target(std::string_view op, const Tensor& prediction, const Tensor& target,
                  bool may_be_tracked);

/// The value as the outcome of one recorded operation on the prediction (and the target, where the
/// gradient by it is the negative); as it is where no gradient was asked for.
[[nodiscard]] Tensor recorded(std::string_view op, const ops::LossParts& parts,
                              const std::vector<Tensor>& inputs);
/// Parts with a gradient as a result.
[[nodiscard]] LossResult result_of(ops::LossParts parts);

}  // namespace spiraltorch::nn
