#include "spiraltorch/ops/elementwise.hpp"

#include <cmath>
#include <limits>

#include "ops/launch.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

Tensor run_binary(OpId op, const Tensor& a, const Tensor& b) {
  const std::string_view name = op_info(op).name;
  check_same_device(name, {&a, &b});
  const Shape shape = broadcast_shape(name, a.shape(), b.shape());
  Tensor out = Tensor::empty(shape.rows, shape.cols, a.device());
  run(op, {detail::operand_of(a, shape), detail::operand_of(b, shape)}, detail::operand_of(out));
  return out;
}

// y = op(x) with gradient f(context), where the context holds the saved x or y.
enum class Keep : std::uint8_t { input, result };
Tensor unary(OpId op, const Tensor& x, Keep keep, Tensor (*gradient)(const BackwardContext&)) {
  Tensor out = run_like(op, x);
  if (!is_recorded({&x})) return out;
  const Tensor saved = keep == Keep::input ? x : out;
  return record(std::move(out), op_info(op).name, {x}, {saved},
                [gradient](const BackwardContext& c) { return Gradients{gradient(c)}; });
}

}  // namespace

Tensor sum_to_shape(const Tensor& gradient, Shape shape) {
  Tensor out = gradient;
  if (shape.rows == 1 && out.rows() != 1) out = sum(out, Axis::rows);
  if (shape.cols == 1 && out.cols() != 1) out = sum(out, Axis::cols);
  return out;
}

Tensor add(const Tensor& a, const Tensor& b) {
  const Shape sa = a.shape();
  const Shape sb = b.shape();
  return record(run_binary(OpId::add, a, b), "add", {a, b}, {}, [sa, sb](const BackwardContext& c) {
    Gradients out(2);
    if (c.needed[0]) out[0] = sum_to_shape(c.gradient, sa);
    if (c.needed[1]) out[1] = sum_to_shape(c.gradient, sb);
    return out;
  });
}

Tensor sub(const Tensor& a, const Tensor& b) {
  const Shape sa = a.shape();
  const Shape sb = b.shape();
  return record(run_binary(OpId::sub, a, b), "sub", {a, b}, {}, [sa, sb](const BackwardContext& c) {
    Gradients out(2);
    if (c.needed[0]) out[0] = sum_to_shape(c.gradient, sa);
    if (c.needed[1]) out[1] = sum_to_shape(neg(c.gradient), sb);
    return out;
  });
}

Tensor mul(const Tensor& a, const Tensor& b) {
  return record(run_binary(OpId::mul, a, b), "mul", {a, b}, {a, b}, [](const BackwardContext& c) {
    const Tensor& x = c.saved[0];
    const Tensor& y = c.saved[1];
    Gradients out(2);
    if (c.needed[0]) out[0] = sum_to_shape(mul(c.gradient, y), x.shape());
    if (c.needed[1]) out[1] = sum_to_shape(mul(c.gradient, x), y.shape());
    return out;
  });
}

Tensor div(const Tensor& a, const Tensor& b) {
  return record(run_binary(OpId::div, a, b), "div", {a, b}, {a, b}, [](const BackwardContext& c) {
    const Tensor& x = c.saved[0];
    const Tensor& y = c.saved[1];
    Gradients out(2);
    const Tensor by_x = div(c.gradient, y);
    if (c.needed[0]) out[0] = sum_to_shape(by_x, x.shape());
    if (c.needed[1]) out[1] = sum_to_shape(neg(mul(by_x, div(x, y))), y.shape());
    return out;
  });
}

Tensor scale(const Tensor& x, double value) {
  const Tensor factor = Tensor::full(1, 1, value, {.requires_grad = false, .device = x.device()});
  return record(run_binary(OpId::mul, x, factor), "scale", {x}, {},
                [value](const BackwardContext& c) { return Gradients{scale(c.gradient, value)}; });
}

Tensor neg(const Tensor& x) {
  return record(run_like(OpId::neg, x), "neg", {x}, {},
                [](const BackwardContext& c) { return Gradients{neg(c.gradient)}; });
}

Tensor pow(const Tensor& x, double exponent) {
  return record(
      run_like(OpId::pow_scalar, x, {exponent}), "pow", {x}, {x},
      [exponent](const BackwardContext& c) {
        return Gradients{run_like(OpId::pow_scalar_grad, c.saved[0], c.gradient, {exponent})};
      });
}

Tensor exp(const Tensor& x) {
  return unary(OpId::exp, x, Keep::result,
               [](const BackwardContext& c) { return mul(c.gradient, c.saved[0]); });
}

Tensor log(const Tensor& x) {
  return unary(OpId::log, x, Keep::input,
               [](const BackwardContext& c) { return div(c.gradient, c.saved[0]); });
}

Tensor tanh(const Tensor& x) {
  return unary(OpId::tanh, x, Keep::result, [](const BackwardContext& c) {
    return run_like(OpId::tanh_grad, c.saved[0], c.gradient);
  });
}

Tensor sigmoid(const Tensor& x) {
  return unary(OpId::sigmoid, x, Keep::result, [](const BackwardContext& c) {
    return run_like(OpId::sigmoid_grad, c.saved[0], c.gradient);
  });
}

Tensor relu(const Tensor& x) {
  return unary(OpId::relu, x, Keep::input, [](const BackwardContext& c) {
    return run_like(OpId::relu_grad, c.saved[0], c.gradient);
  });
}

Tensor gelu(const Tensor& x) {
  return unary(OpId::gelu, x, Keep::input, [](const BackwardContext& c) {
    return run_like(OpId::gelu_grad, c.saved[0], c.gradient);
  });
}

Tensor gelu_tanh(const Tensor& x) {
  return unary(OpId::gelu_tanh, x, Keep::input, [](const BackwardContext& c) {
    return run_like(OpId::gelu_tanh_grad, c.saved[0], c.gradient);
  });
}

Tensor sqrt(const Tensor& x) {
  return unary(OpId::sqrt, x, Keep::result,
               [](const BackwardContext& c) { return div(scale(c.gradient, 0.5), c.saved[0]); });
}

Tensor abs(const Tensor& x) {
  return unary(OpId::abs, x, Keep::input, [](const BackwardContext& c) {
    return run_like(OpId::abs_grad, c.saved[0], c.gradient);
  });
}

Tensor clamp(const Tensor& x, std::optional<double> min, std::optional<double> max) {
  require(min || max, Errc::invalid_value, "clamp", "bounds: got none, expected min, max or both");
  // Bounds act on float32 numbers: rounded once, so that forward and gradient agree.
  const double lo = min ? static_cast<float>(*min) : -std::numeric_limits<double>::infinity();
  const double hi = max ? static_cast<float>(*max) : std::numeric_limits<double>::infinity();
  if (!(lo <= hi)) {
    fail(Errc::invalid_value, "clamp",
         text("bounds: got min ", lo, " and max ", hi, ", expected min <= max"));
  }
  return record(run_like(OpId::clamp, x, {lo, hi}), "clamp", {x}, {x},
                [lo, hi](const BackwardContext& c) {
                  return Gradients{run_like(OpId::clamp_grad, c.saved[0], c.gradient, {lo, hi})};
                });
}

namespace {
void refuse_recording(std::string_view op, const Tensor& a, const Tensor& b) {
  require(!is_recorded({&a, &b}), Errc::unsupported, op,
          "operands: got a tracked tensor, expected constants: not differentiable");
}
}  // namespace

Tensor hypot(const Tensor& a, const Tensor& b) {
  refuse_recording("hypot", a, b);
  return run_binary(OpId::hypot, a, b);
}

Tensor atan2(const Tensor& a, const Tensor& b) {
  refuse_recording("atan2", a, b);
  return run_binary(OpId::atan2, a, b);
}

}  // namespace spiraltorch::ops
