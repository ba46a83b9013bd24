#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/detail.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::ops {

/// Launches with tensor operands and small parameter lists.
inline void run(OpId op, std::initializer_list<KernelOperand> in, const KernelOperand& out,
                std::initializer_list<double> scalars = {},
                std::initializer_list<std::int64_t> ints = {}) {
  launch(op, {.in = {in.begin(), in.size()},
              .out = {&out, 1},
              .scalars = {scalars.begin(), scalars.size()},
              .ints = {ints.begin(), ints.size()}});
}

/// A result in the operand's shape: y = op(x).
[[nodiscard]] inline Tensor run_like(OpId op, const Tensor& x,
                                     std::initializer_list<double> scalars = {}) {
  Tensor out = Tensor::empty(x.rows(), x.cols(), x.device());
  run(op, {detail::operand_of(x)}, detail::operand_of(out), scalars);
  return out;
}

/// The same from two operands of x's shape (gradient kernels).
[[nodiscard]] inline Tensor run_like(OpId op, const Tensor& x, const Tensor& y,
                                     std::initializer_list<double> scalars = {}) {
  Tensor out = Tensor::empty(x.rows(), x.cols(), x.device());
  run(op, {detail::operand_of(x), detail::operand_of(y)}, detail::operand_of(out), scalars);
  return out;
}

/// Sums a gradient of a broadcast result back to an operand's shape.
[[nodiscard]] Tensor sum_to_shape(const Tensor& gradient, Shape shape);

}  // namespace spiraltorch::ops
