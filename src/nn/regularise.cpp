#include "spiraltorch/nn/regularise.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "nn/init.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/norm.hpp"

namespace spiraltorch::nn {
namespace {

// 0 for what is dropped, the scale for what is kept.
Tensor dropout_mask(Shape shape, double p, DeviceId device) {
  const auto count = static_cast<std::uint64_t>(shape.size());
  const auto threshold = static_cast<std::uint32_t>(std::ceil(p * 0x1p24));
  const auto scale = static_cast<float>(1.0 / (1.0 - p));
  std::vector<float> mask(count);
  const PhiloxState start = reserve_random_words(count);
  for (std::uint64_t i = 0; i < count; i += 4) {
    const PhiloxBlock words = philox_block(start.seed, start.block + i / 4);
    for (std::uint64_t j = i; j < std::min(count, i + 4); ++j) {
      mask[j] = (words[j - i] >> 8) >= threshold ? scale : 0.0F;
    }
  }
  return {shape.rows,
          shape.cols,
          std::span<const float>(mask),
          {.requires_grad = false, .device = device}};
}

}  // namespace

Dropout::Dropout(double p) : p_(p) {
  if (p >= 0 && p < 1) return;
  fail(Errc::invalid_value, "Dropout", text("p: got ", p, ", expected a number in [0, 1)"));
}

Tensor Dropout::forward(const Tensor& input) {
  if (p_ == 0 || !training()) return input;
  return ops::mul(input, dropout_mask(input.shape(), p_, input.device()));
}

std::string Dropout::repr() const { return text("Dropout(", p_, ")"); }

LayerNorm::LayerNorm(std::int64_t dim, double eps, std::string name, LayerNormOptions options)
    : dim_(dim), eps_(eps), name_(std::move(name)) {
  check_size("LayerNorm", "dim", dim);
  check_positive("LayerNorm", "eps", eps);
  if (!options.affine) return;
  weight_.emplace(Tensor::ones(1, dim));
  bias_.emplace(Tensor(1, dim));
  register_parameter(name_ + "::weight", *weight_);
  register_parameter(name_ + "::bias", *bias_);
}

Tensor LayerNorm::forward(const Tensor& input) {
  check_columns("LayerNorm", input, dim_);
  return weight_ ? ops::layer_norm(input, &*weight_, &*bias_, eps_)
                 : ops::layer_norm(input, nullptr, nullptr, eps_);
}

std::string LayerNorm::repr() const {
  return text("LayerNorm(", dim_, eps_ == 1e-5 ? "" : text(", eps=", eps_), ", name='", name_, "'",
              weight_ ? ")" : ", affine=False)");
}

}  // namespace spiraltorch::nn
