#pragma once

#include <cstdint>
#include <string_view>

#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::ops {

/// A slice resolved against an axis: element i of it is start + i·step.
struct Range {
  std::int64_t start;
  std::int64_t step;
  std::int64_t length;
};

/// Python's slice rules; an empty selection is `invalid_shape`, a step of 0 `invalid_value`.
[[nodiscard]] Range resolve(std::string_view op, std::string_view axis, const Slice& slice,
                            std::int64_t length);

}  // namespace spiraltorch::ops
