#pragma once

#include <memory>
#include <span>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Gradients of a table of which few rows were read. Not part of the API: `Tensor::grad` shows them
/// as any other, optimisers and norms read the rows alone.
namespace spiraltorch::detail {

/// A gradient that is zero outside some rows, in the host's memory.
struct RowGradient {
  IndexTensor rows;  ///< (1,k)
  Tensor values;     ///< (k, columns)
};

/// Worth keeping as rows: the table has at least this many times as many.
inline constexpr std::int64_t kRowGradientShare = 4;

/// The sum: distinct rows, ascending, i32; those of one row are added in order, in double, and
/// rounded once.
[[nodiscard]] RowGradient merged(std::span<const RowGradient> parts);
/// Adds the rows to a table of the gradient's full shape, in place.
void add_rows(const RowGradient& part, Tensor& to);

/// A leaf's gradient as rows (as `merged` gives them); null where it is dense, absent or a tape's.
[[nodiscard]] SPIRALTORCH_API std::shared_ptr<const RowGradient> row_gradient(const Tensor& leaf);
/// Replaces a leaf's gradient.
SPIRALTORCH_API void set_row_gradient(const Tensor& leaf, RowGradient gradient);
/// Turns rows into a dense gradient, if that is how the leaf has it.
SPIRALTORCH_API void make_gradient_dense(const Tensor& leaf);

}  // namespace spiraltorch::detail
