#include "spiraltorch/ops/norm.hpp"

#include <array>

#include "ops/launch.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

// One launch for what is wanted of x, w and b.
Gradients gradients(const BackwardContext& c, double eps) {
  const Tensor& x = c.saved[0];
  const bool affine = c.saved.size() > 1;
  Gradients out(c.needed.size());
  std::array<KernelOperand, 3> results;
  std::size_t count = 0;
  std::int64_t wanted = 0;
  for (std::size_t i = 0; i < c.needed.size(); ++i) {
    if (!c.needed[i]) continue;
    out[i] = Tensor::empty(i == 0 ? x.rows() : 1, x.cols(), x.device());
    results[count++] = detail::operand_of(*out[i]);
    wanted |= std::int64_t{1} << i;
  }
  const std::array in{detail::operand_of(x), detail::operand_of(c.gradient),
                      detail::operand_of(c.saved.back())};
  launch(OpId::layer_norm_grad, {.in = {in.data(), affine ? in.size() : in.size() - 1},
                                 .out = {results.data(), count},
                                 .scalars = {&eps, 1},
                                 .ints = {&wanted, 1}});
  return out;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor* w, const Tensor* b, double eps) {
  std::vector<Tensor> inputs{x};
  std::vector<Tensor> saved{x};
  std::vector<KernelOperand> in{detail::operand_of(x)};
  if (w != nullptr && b != nullptr) {
    for (const Tensor* row : {w, b}) {
      check_same_device("layer_norm", {&x, row});
      check_same_shape("layer_norm", row == w ? "weight" : "bias", row->shape(), {1, x.cols()});
      inputs.push_back(*row);
      in.push_back(detail::operand_of(*row));
    }
    saved.push_back(*w);
  }
  Tensor out = Tensor::empty(x.rows(), x.cols(), x.device());
  const KernelOperand result = detail::operand_of(out);
  launch(OpId::layer_norm, {.in = in, .out = {&result, 1}, .scalars = {&eps, 1}, .ints = {}});
  return record(std::move(out), "layer_norm", inputs, saved,
                [eps](const BackwardContext& c) { return gradients(c, eps); });
}

}  // namespace spiraltorch::ops
