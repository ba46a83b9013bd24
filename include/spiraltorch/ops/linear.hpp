#pragma once

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::ops {

/// x·w + b in one operation, b a (1,c) row or null; with `relu` max(·, 0), where NaN stays. The
/// result and its gradients have the bits of matmul, add and relu one after the other.
/// `shape_mismatch`, `device`.
[[nodiscard]] SPIRALTORCH_API Tensor linear(const Tensor& x, const Tensor& w, const Tensor* b,
                                            bool relu = false);

}  // namespace spiraltorch::ops
