#include "nn/init.hpp"

#include <cmath>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::nn {

Tensor symmetric(std::int64_t rows, std::int64_t cols, double bound) {
  check_shape("init", rows, cols);
  const auto count = static_cast<std::uint64_t>(rows * cols);
  std::vector<float> values(count);
  const PhiloxState start = reserve_random_words(count);
  for (std::uint64_t i = 0; i < count; i += 4) {
    const PhiloxBlock words = philox_block(start.seed, start.block + i / 4);
    for (std::uint64_t j = i; j < std::min(count, i + 4); ++j) {
      const double k = static_cast<double>(words[j - i] >> 8) - 0x1p23;
      values[j] = static_cast<float>(bound * (k * 0x1p-23));
    }
  }
  return {rows, cols, std::span<const float>(values)};
}

void check_size(std::string_view op, std::string_view what, std::int64_t value) {
  if (value >= 1) return;
  fail(Errc::invalid_value, op, text(what, ": got ", value, ", expected >= 1"));
}

void check_positive(std::string_view op, std::string_view what, double value) {
  if (std::isfinite(value) && value > 0) return;
  fail(std::isfinite(value) ? Errc::invalid_value : Errc::non_finite, op,
       text(what, ": got ", value, ", expected a finite number > 0"));
}

void check_columns(std::string_view op, const Tensor& x, std::int64_t cols) {
  if (x.cols() == cols) return;
  fail(Errc::shape_mismatch, op,
       text("input: got ", to_text(x.shape()), ", expected ", cols, " columns"));
}

}  // namespace spiraltorch::nn
