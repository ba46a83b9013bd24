#include "spiraltorch/nn/hyperbolic.hpp"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "nn/init.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::nn {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

Tensor initial(std::string_view op, std::int64_t in, std::int64_t out, double gain) {
  check_size(op, "input size", in);
  check_size(op, "output size", out);
  check_positive(op, "gain", gain);
  return symmetric(in, out, gain / std::sqrt(static_cast<double>(in)));
}

// log1p(w), w >= 0: the rounding error of s = 1 + w, which is exactly w - (s - 1), is given back.
Tensor log1p_of_positive(const Tensor& w) {
  const Tensor s = w + 1.0;
  return ops::log(s) + (w - (s - 1.0)) / s;
}

// asinh u = log1p(u + u²/(1 + √(1 + u²))) for u >= 0; no square is formed, which could overflow.
Tensor asinh_of_positive(const Tensor& u, const Tensor& root) {
  return log1p_of_positive(u + u * (u / (root + 1.0)));
}

Tensor asinh(const Tensor& u) {
  const auto [value, root] = [&] {
    const NoGrad guard;
    Tensor length =
        ops::hypot(u, Tensor::ones(1, 1, {.requires_grad = false, .device = u.device()}));
    // One of the two halves is 0.
    return std::pair(
        asinh_of_positive(ops::relu(u), length) - asinh_of_positive(ops::relu(-u), length),
        std::move(length));
  }();
  return record(value, "asinh", {u}, {root},
                [](const BackwardContext& c) { return Gradients{c.gradient / c.saved[0]}; });
}

// cosh and sinh; the latter as tanh(a/2)·(1 + cosh a), which does not cancel at 0.
std::pair<Tensor, Tensor> cosh_sinh(const Tensor& a) {
  const Tensor up = ops::exp(a);
  const Tensor cosh = (up + 1.0 / up) * 0.5;
  return {cosh, ops::tanh(a * 0.5) * (cosh + 1.0)};
}

}  // namespace

PoincareLinear::PoincareLinear(std::int64_t input_dim, std::int64_t output_dim, double curvature,
                               std::string name, PoincareLinearOptions options)
    : ball_(curvature),
      name_(std::move(name)),
      options_(options),
      weight_(initial("PoincareLinear", input_dim, output_dim, options.gain)) {
  register_parameter(name_ + "::weight", weight_);
  if (!options.bias) return;
  bias_.emplace(Tensor(1, output_dim), ball_);
  register_parameter(name_ + "::bias", *bias_);
}

Tensor PoincareLinear::forward(const Tensor& input) {
  check_columns("PoincareLinear", input, weight_.rows());
  const Tensor moved = ball_.mobius_matvec(weight_, input);
  return bias_ ? ball_.mobius_add(moved, *bias_) : moved;
}

std::string PoincareLinear::repr() const {
  return text("PoincareLinear(", weight_.rows(), ", ", weight_.cols(), ", ", curvature(),
              ", name='", name_, "'", bias_ ? "" : ", bias=False",
              options_.gain == 1.0 ? "" : text(", gain=", options_.gain), ")");
}

PoincareMLR::PoincareMLR(std::int64_t dim, std::int64_t classes, double curvature, std::string name,
                         PoincareMLROptions options)
    : ball_(curvature),
      name_(std::move(name)),
      options_(options),
      weight_(initial("PoincareMLR", dim, classes, options.gain)),
      offset_(Tensor(1, classes)) {
  register_parameter(name_ + "::weight", weight_);
  register_parameter(name_ + "::offset", offset_);
}

// In the hyperboloid's coordinates (time, space) = ((λ-1)/√κ, λx) the argument of asinh is √κ times
// a product with the hyperplane's normal (-sinh, ẑ·cosh).
Tensor PoincareMLR::forward(const Tensor& input) {
  constexpr double kTiny = 1e-30;  // where z = 0: below it z/‖z‖ counts as 0
  check_columns("PoincareMLR", input, weight_.rows());
  check_same_device("PoincareMLR", {&input, &weight_});
  const double root = std::sqrt(-curvature());
  const Tensor length = ops::norm(weight_, Axis::rows);
  const Tensor unit = weight_ / ops::clamp(length, kTiny, {});
  const auto [cosh, sinh] = cosh_sinh(ops::scale(offset_, 2.0 * root));
  const Tensor time = ops::neg(sinh);
  const Tensor normals = ops::cat(std::array{time, unit * cosh}, Axis::rows);
  const Tensor u = ops::matmul(ball_.to_lorentz(input), normals) * root;
  return asinh(u) * (length * (2.0 / root));
}

std::string PoincareMLR::repr() const {
  return text("PoincareMLR(", weight_.rows(), ", ", weight_.cols(), ", ", curvature(), ", name='",
              name_, "'", options_.gain == 1.0 ? "" : text(", gain=", options_.gain), ")");
}

}  // namespace spiraltorch::nn
