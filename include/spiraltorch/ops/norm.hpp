#pragma once

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::ops {

/// Rows to mean 0 and variance 1, then ⊙ w + b (Ba et al. 2016): x̂ = (x − μ)/√(σ² + ε), rows in
/// double, rounded once. w and b are (1,c) rows, both or neither null. `shape_mismatch`, `device`.
[[nodiscard]] SPIRALTORCH_API Tensor layer_norm(const Tensor& x, const Tensor* w, const Tensor* b,
                                                double eps);

}  // namespace spiraltorch::ops
