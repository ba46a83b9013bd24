#include "spiraltorch/ops/linear.hpp"

#include <array>

#include "ops/launch.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

void check(const Tensor& x, const Tensor& w, const Tensor* b) {
  check_same_device("linear", {&x, &w});
  if (x.cols() != w.rows()) {
    fail(Errc::shape_mismatch, "linear",
         text("weight: got ", to_text(w.shape()), ", expected ", x.cols(), " rows"));
  }
  if (b == nullptr) return;
  check_same_device("linear", {&x, b});
  check_same_shape("linear", "bias", b->shape(), {1, w.cols()});
}

// One launch for what is wanted of x, w and b.
Gradients gradients(const BackwardContext& c, bool cut) {
  const Tensor& x = c.saved[0];
  const Tensor& w = c.saved[1];
  const std::array shapes{x.shape(), w.shape(), Shape{1, w.cols()}};
  Gradients out(c.needed.size());
  std::array<KernelOperand, 3> results;
  std::size_t count = 0;
  std::int64_t wanted = 0;
  for (std::size_t i = 0; i < c.needed.size(); ++i) {
    if (!c.needed[i]) continue;
    out[i] = Tensor::empty(shapes[i].rows, shapes[i].cols, x.device());
    results[count++] = detail::operand_of(*out[i]);
    wanted |= std::int64_t{1} << i;
  }
  const std::array in{detail::operand_of(x), detail::operand_of(w), detail::operand_of(c.gradient),
                      detail::operand_of(c.saved.back())};
  launch(OpId::linear_grad, {.in = {in.data(), cut ? in.size() : in.size() - 1},
                             .out = {results.data(), count},
                             .scalars = {},
                             .ints = {&wanted, 1}});
  return out;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor* b, bool relu) {
  check(x, w, b);
  Tensor out = Tensor::empty(x.rows(), w.cols(), x.device());
  const std::int64_t cut = relu ? 1 : 0;
  const std::array in{detail::operand_of(x), detail::operand_of(w),
                      detail::operand_of(b == nullptr ? w : *b)};
  const KernelOperand result = detail::operand_of(out);
  launch(OpId::linear, {.in = {in.data(), b == nullptr ? in.size() - 1 : in.size()},
                        .out = {&result, 1},
                        .scalars = {},
                        .ints = {&cut, 1}});
  std::vector<Tensor> inputs{x, w};
  if (b != nullptr) inputs.push_back(*b);
  std::vector<Tensor> saved{x, w};
  if (relu) saved.push_back(out);
  return record(std::move(out), "linear", inputs, saved,
                [relu](const BackwardContext& c) { return gradients(c, relu); });
}

}  // namespace spiraltorch::ops
