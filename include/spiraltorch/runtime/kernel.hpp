#pragma once

#include <cstdint>
#include <span>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/shape.hpp"
#include "spiraltorch/runtime/buffer.hpp"
#include "spiraltorch/runtime/op_id.hpp"

namespace spiraltorch {

/// Element types a kernel meets. Tensors are f32; the rest are results and index tables.
enum class ElementType : std::uint8_t { f32, f64, i32, i64 };

[[nodiscard]] constexpr std::size_t size_of(ElementType type) {
  return type == ElementType::f32 || type == ElementType::i32 ? 4 : 8;
}

/// One operand of a kernel: a matrix in a buffer. Strides count elements; 0 repeats an operand
/// along that axis, so broadcasting needs no copy. Outputs are always contiguous.
struct KernelOperand {
  Buffer* buffer = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t row_stride = 0;
  std::int64_t col_stride = 1;
  ElementType type = ElementType::f32;
  [[nodiscard]] std::int64_t size() const { return rows * cols; }
};

/// A contiguous operand.
[[nodiscard]] inline KernelOperand operand(Buffer& buffer, Shape shape,
                                           ElementType type = ElementType::f32) {
  return {&buffer, shape.rows, shape.cols, shape.cols, 1, type};
}

struct RankCall;

/// What a kernel gets. Meaning of `scalars` and `ints` per op: docs/kernels.md. Inputs are valid:
/// public functions check once, kernels assume. Kernels run on the stream of the operands' device;
/// they may read `in` and write `out` only, and an `out` may be one of the `in` where the op says.
struct KernelArgs {
  std::span<const KernelOperand> in;
  std::span<const KernelOperand> out;
  std::span<const double> scalars;
  std::span<const std::int64_t> ints;
  RankCall* rank =
      nullptr;  ///< `rank_select` only: the plan, and room for its trace (rank/call.hpp)
};

/// Runs `op` on the device that holds its operands. Throws `unsupported` where that back end has
/// no kernel for it, `device` where operands live on different devices.
SPIRALTORCH_API void launch(OpId op, const KernelArgs& args);

}  // namespace spiraltorch
