#pragma once

#include <string_view>
#include <vector>

#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/tensor.hpp"

// How operations of the ball are recorded.
namespace spiraltorch::geometry {

/// A row-wise operation: result row i is a function of the operands' rows i, a row standing alone
/// being repeated. A (r,1) or (1,1) operand `t` counts as a row.
struct RowCall {
  OpId op;
  std::string_view name;
  double kappa;
  bool squared = false;
};

/// `x` repeated to `rows` rows.
[[nodiscard]] KernelOperand repeated(const Tensor& x, std::int64_t rows);

/// `result` of the call on `operands`, recorded.
[[nodiscard]] Tensor record_rows(Tensor result, const RowCall& call,
                                 const std::vector<Tensor>& operands);

/// Distances of the rows of x and y; where y is x itself, `same`.
[[nodiscard]] Tensor record_dist_matrix(Tensor result, const Tensor& x, const Tensor& y, bool same,
                                        double kappa);

/// A mean of x under weights (r,1), which are `scale` times the tensor `weights`, if any.
struct MeanCall {
  OpId gradient;  ///< the kernel
  std::string_view name;
  const Tensor& x;
  const Tensor& column;
  const Tensor* weights;
  double scale;
  double kappa;
};
[[nodiscard]] Tensor record_mean(Tensor result, const MeanCall& call);

}  // namespace spiraltorch::geometry
