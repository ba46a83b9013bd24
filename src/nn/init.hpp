#pragma once

#include <cstdint>
#include <string_view>

#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::nn {

/// (rows, cols) symmetric about 0 within `bound`: fl32(bound·k·2⁻²³), k from the words of one
/// request to the process-wide generator, row-major.
[[nodiscard]] Tensor symmetric(std::int64_t rows, std::int64_t cols, double bound);
/// `invalid_value` unless ≥ 1.
void check_size(std::string_view op, std::string_view what, std::int64_t value);
/// Finite and > 0: `non_finite`, `invalid_value`.
void check_positive(std::string_view op, std::string_view what, double value);
/// `shape_mismatch` unless x has `cols` columns.
void check_columns(std::string_view op, const Tensor& x, std::int64_t cols);

}  // namespace spiraltorch::nn
