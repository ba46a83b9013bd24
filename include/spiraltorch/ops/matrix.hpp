#pragma once

#include <span>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// Matrix product, transposition, indexing, concatenation.
namespace spiraltorch::ops {

/// a·b with a, b transposed on demand; `shape_mismatch` unless inner sizes agree. O(r·k·c);
/// |error| ≤ k·2⁻²⁴·Σ|a||b| for inner length k.
[[nodiscard]] SPIRALTORCH_API Tensor matmul(const Tensor& a, const Tensor& b,
                                            bool transpose_a = false, bool transpose_b = false);
[[nodiscard]] SPIRALTORCH_API Tensor transpose(const Tensor& x);
[[nodiscard]] SPIRALTORCH_API Tensor reshape(const Tensor& x, std::int64_t rows, std::int64_t cols);
/// Rows and columns selected as by Python's slices; an empty selection is `invalid_shape`.
[[nodiscard]] SPIRALTORCH_API Tensor slice(const Tensor& x, Slice rows, Slice cols);
[[nodiscard]] SPIRALTORCH_API Tensor cat(std::span<const Tensor> parts, Axis axis);
/// A copy with its own storage.
[[nodiscard]] SPIRALTORCH_API Tensor clone(const Tensor& x);
/// The same tensor if it is there already, else a copy.
[[nodiscard]] SPIRALTORCH_API Tensor to_device(const Tensor& x, DeviceId device);

/// Row i as a slice; `out_of_range` naming index and length. Negative i counts from the end.
[[nodiscard]] SPIRALTORCH_API Slice index_slice(std::string_view op, std::string_view axis,
                                                std::int64_t i, std::int64_t length);

}  // namespace spiraltorch::ops
