#pragma once

#include <span>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Reductions, accumulated in double; results do not depend on the number of threads.
namespace spiraltorch::ops {

[[nodiscard]] SPIRALTORCH_API Tensor sum(const Tensor& x, Axis axis = Axis::all);
[[nodiscard]] SPIRALTORCH_API Tensor mean(const Tensor& x, Axis axis = Axis::all);
/// A NaN propagates; the gradient goes to the first extremal element.
[[nodiscard]] SPIRALTORCH_API Tensor max(const Tensor& x, Axis axis = Axis::all);
[[nodiscard]] SPIRALTORCH_API Tensor min(const Tensor& x, Axis axis = Axis::all);
/// Euclidean norm; derivative 0 at 0.
[[nodiscard]] SPIRALTORCH_API Tensor norm(const Tensor& x, Axis axis = Axis::all);
/// Over each row, row maximum subtracted.
[[nodiscard]] SPIRALTORCH_API Tensor softmax(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor log_softmax(const Tensor& x);

/// Σ_i w_i x_i over the rows, (1,c), rounded once; one weight a row. Not differentiable.
[[nodiscard]] SPIRALTORCH_API Tensor weighted_sum(const Tensor& x, std::span<const double> weights);
/// Σ x² in double.
[[nodiscard]] SPIRALTORCH_API double squared_norm(const Tensor& x);
/// All |a − b| ≤ atol + rtol·|b|; equal infinities are close; shapes must agree.
[[nodiscard]] SPIRALTORCH_API bool allclose(const Tensor& a, const Tensor& b, double rtol,
                                            double atol, bool equal_nan);
/// Flat index of the first NaN, or with `nan_only` false also of the first infinity; -1 if none.
[[nodiscard]] SPIRALTORCH_API std::int64_t first_non_finite(const Tensor& x, bool nan_only = false);

}  // namespace spiraltorch::ops
