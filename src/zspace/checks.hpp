#pragma once

#include <cmath>
#include <string_view>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch::zspace {

inline void check_finite(std::string_view op, std::string_view what, double value) {
  if (std::isfinite(value)) return;
  fail(Errc::non_finite, op, text(what, ": got ", value, ", expected a finite number"));
}

/// Finite and > 0.
inline void check_positive(std::string_view op, std::string_view what, double value) {
  check_finite(op, what, value);
  if (value > 0) return;
  fail(Errc::invalid_value, op, text(what, ": got ", value, ", expected > 0"));
}

[[noreturn]] inline void fail_non_finite(std::string_view op, std::string_view what,
                                         const Tensor& x, std::int64_t position) {
  const std::int64_t row = position / x.cols();
  const std::int64_t col = position % x.cols();
  fail(Errc::non_finite, op,
       text(what, ": got ", x.at(row, col), " at (", row, ", ", col, "), expected finite entries"));
}

/// All entries finite; the message names the position of the first that is not.
inline void check_finite(std::string_view op, std::string_view what, const Tensor& x) {
  const std::int64_t position = ops::first_non_finite(x);
  if (position >= 0) fail_non_finite(op, what, x, position);
}

/// The tensor as a constant.
inline Tensor constant(const Tensor& x) { return x.detach(); }

}  // namespace spiraltorch::zspace
