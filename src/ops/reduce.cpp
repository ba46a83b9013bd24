#include "spiraltorch/ops/reduce.hpp"

#include "ops/launch.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

Shape reduced_shape(Shape shape, Axis axis) {
  if (axis == Axis::all) return {1, 1};
  return axis == Axis::rows ? Shape{1, shape.cols} : Shape{shape.rows, 1};
}

Tensor run_reduce(OpId op, const Tensor& x, Axis axis) {
  const Shape shape = reduced_shape(x.shape(), axis);
  Tensor out = Tensor::empty(shape.rows, shape.cols, x.device());
  run(op, {detail::operand_of(x)}, detail::operand_of(out), {}, {static_cast<std::int64_t>(axis)});
  return out;
}

// A reduced gradient repeated to the shape before the reduction.
Tensor spread(const Tensor& gradient, Shape shape) {
  const Tensor zeros =
      Tensor::zeros(shape.rows, shape.cols, {.requires_grad = false, .device = gradient.device()});
  return add(zeros, gradient);
}

Tensor extremum(OpId op, const Tensor& x, Axis axis) {
  Tensor out = run_reduce(op, x, axis);
  if (!is_recorded({&x})) return out;
  const Tensor y = out;
  return record(std::move(out), op_info(op).name, {x}, {x, y}, [axis](const BackwardContext& c) {
    Tensor result = Tensor::empty(c.saved[0].rows(), c.saved[0].cols(), c.gradient.device());
    run(OpId::extremum_grad,
        {detail::operand_of(c.saved[0]), detail::operand_of(c.saved[1]),
         detail::operand_of(c.gradient)},
        detail::operand_of(result), {}, {static_cast<std::int64_t>(axis)});
    return Gradients{result};
  });
}

Tensor row_softmax(OpId op, OpId gradient_op, const Tensor& x) {
  Tensor out = run_like(op, x);
  if (!is_recorded({&x})) return out;
  const Tensor y = out;
  return record(std::move(out), op_info(op).name, {x}, {y},
                [gradient_op](const BackwardContext& c) {
                  return Gradients{run_like(gradient_op, c.saved[0], c.gradient)};
                });
}

// One number from a one-element result operand of any type.
template <class T>
T read_scalar(OpId op, std::initializer_list<KernelOperand> in, ElementType type, DeviceId device,
              std::initializer_list<double> scalars = {},
              std::initializer_list<std::int64_t> ints = {}) {
  const auto buffer = Buffer::allocate(device, sizeof(T));
  run(op, in, operand(*buffer, {1, 1}, type), scalars, ints);
  T value{};
  download(*buffer, 0, &value, sizeof value);
  return value;
}

}  // namespace

Tensor sum(const Tensor& x, Axis axis) {
  const Shape shape = x.shape();
  return record(run_reduce(OpId::sum, x, axis), "sum", {x}, {},
                [shape](const BackwardContext& c) { return Gradients{spread(c.gradient, shape)}; });
}

Tensor mean(const Tensor& x, Axis axis) {
  const Shape reduced = reduced_shape(x.shape(), axis);
  const auto count = static_cast<double>(x.size()) / static_cast<double>(reduced.size());
  const Tensor divisor = Tensor::full(1, 1, count, {.requires_grad = false, .device = x.device()});
  return div(sum(x, axis), divisor);
}

Tensor max(const Tensor& x, Axis axis) { return extremum(OpId::max, x, axis); }
Tensor min(const Tensor& x, Axis axis) { return extremum(OpId::min, x, axis); }

Tensor norm(const Tensor& x, Axis axis) {
  Tensor out = run_reduce(OpId::norm, x, axis);
  if (!is_recorded({&x})) return out;
  const Tensor y = out;
  return record(std::move(out), "norm", {x}, {x, y}, [](const BackwardContext& c) {
    const Tensor& input = c.saved[0];
    Tensor result = Tensor::empty(input.rows(), input.cols(), input.device());
    run(OpId::norm_grad,
        {detail::operand_of(input), detail::operand_of(c.saved[1], input.shape()),
         detail::operand_of(c.gradient, input.shape())},
        detail::operand_of(result));
    return Gradients{result};
  });
}

Tensor softmax(const Tensor& x) { return row_softmax(OpId::softmax, OpId::softmax_grad, x); }
Tensor log_softmax(const Tensor& x) {
  return row_softmax(OpId::log_softmax, OpId::log_softmax_grad, x);
}

Tensor weighted_sum(const Tensor& x, std::span<const double> weights) {
  if (!std::cmp_equal(weights.size(), x.rows())) {
    fail(Errc::length_mismatch, "weighted_sum",
         text("weights: got ", weights.size(), ", expected ", x.rows()));
  }
  require(!is_recorded({&x}), Errc::unsupported, "weighted_sum",
          "operand: got a tracked tensor, expected a constant: not differentiable");
  Tensor out = Tensor::empty(1, x.cols(), x.device());
  const KernelOperand in = detail::operand_of(x);
  const KernelOperand result = detail::operand_of(out);
  launch(OpId::weighted_sum, {.in = {&in, 1}, .out = {&result, 1}, .scalars = weights, .ints = {}});
  return out;
}

double squared_norm(const Tensor& x) {
  return read_scalar<double>(OpId::squared_norm, {detail::operand_of(x)}, ElementType::f64,
                             x.device());
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  check_same_device("allclose", {&a, &b});
  check_same_shape("allclose", "other", b.shape(), a.shape());
  return read_scalar<std::int32_t>(OpId::all_close, {detail::operand_of(a), detail::operand_of(b)},
                                   ElementType::i32, a.device(), {rtol, atol},
                                   {equal_nan ? 1 : 0}) != 0;
}

std::int64_t first_non_finite(const Tensor& x, bool nan_only) {
  return read_scalar<std::int64_t>(OpId::first_non_finite, {detail::operand_of(x)},
                                   ElementType::i64, x.device(), {}, {nan_only ? 1 : 0});
}

}  // namespace spiraltorch::ops
