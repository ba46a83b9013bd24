#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// Rows and columns of a matrix.
struct Shape {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  [[nodiscard]] constexpr std::int64_t size() const { return rows * cols; }
  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

/// "(2, 3)".
[[nodiscard]] SPIRALTORCH_API std::string to_text(const Shape& shape);

/// Throws `invalid_shape` unless both axes are ≥ 1 and rows·cols ≤ 2⁴⁰.
SPIRALTORCH_API void check_shape(std::string_view op, std::int64_t rows, std::int64_t cols);

/// Throws `shape_mismatch` unless equal.
SPIRALTORCH_API void check_same_shape(std::string_view op, std::string_view what, Shape got,
                                      Shape expected);

/// Common shape of two operands where a side of length 1 repeats; `shape_mismatch` otherwise.
[[nodiscard]] SPIRALTORCH_API Shape broadcast_shape(std::string_view op, Shape a, Shape b);

}  // namespace spiraltorch
