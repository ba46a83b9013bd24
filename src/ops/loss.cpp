#include "spiraltorch/ops/loss.hpp"

#include <array>

#include "ops/launch.hpp"

namespace spiraltorch::ops {
namespace {

LossParts evaluate(OpId op, const Tensor& p, const Tensor& t, bool gradient,
                   std::span<const double> scalars = {}, std::span<const std::int64_t> ints = {}) {
  LossParts parts{Tensor::empty(1, 1, p.device()), {}};
  if (gradient) parts.gradient = Tensor::empty(p.rows(), p.cols(), p.device());
  const std::array in{detail::operand_of(p), detail::operand_of(t)};
  const std::array out{detail::operand_of(parts.value),
                       detail::operand_of(gradient ? *parts.gradient : parts.value)};
  launch(
      op,
      {.in = in, .out = {out.data(), gradient ? out.size() : 1}, .scalars = scalars, .ints = ints});
  return parts;
}

}  // namespace

LossParts squared_error(const Tensor& p, const Tensor& t, bool gradient) {
  return evaluate(OpId::squared_error, p, t, gradient);
}

LossParts cross_entropy(const Tensor& p, const Tensor& t, bool gradient) {
  return evaluate(OpId::cross_entropy, p, t, gradient);
}

LossParts logistic_loss(const Tensor& p, const Tensor& t, const LogisticOptions& options,
                        bool gradient) {
  const std::array scalars{options.slope, options.shift, options.low, options.high};
  const std::array<std::int64_t, 1> ints{options.checked ? 1 : 0};
  return evaluate(OpId::logistic_loss, p, t, gradient, scalars, ints);
}

}  // namespace spiraltorch::ops
