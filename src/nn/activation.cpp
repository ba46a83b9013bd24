#include "spiraltorch/nn/activation.hpp"

#include <array>

#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::nn {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;
constexpr double kInvSqrt2 = 0.70710678118654752440;
constexpr double kInvSqrt2Pi = 0.39894228040143267794;

// erfc(z) = t·exp(-z² + P(t)), t = 1/(1 + z/2), for z >= 0 within 1.2e-7 relatively: Press et al.,
// Numerical Recipes in C, 2nd ed., 6.2.
Tensor erfc_of_positive(const Tensor& z) {
  constexpr std::array kTerms{0.17087277,  -0.82215223, 1.48851587, -1.13520398, 0.27886807,
                              -0.18628806, 0.09678418,  0.37409196, 1.00002368,  -1.26551223};
  const Tensor t = 1.0 / (z * 0.5 + 1.0);
  Tensor p = t * kTerms[0] + kTerms[1];
  for (std::size_t i = 2; i < kTerms.size(); ++i) p = p * t + kTerms[i];
  return t * ops::exp(p - z * z);
}

// Φ(x), both signs in one sum: one of the two arguments is 0, where erfc is 1.
Tensor normal_cdf(const Tensor& x) {
  const Tensor right = ops::relu(x);
  const Tensor left = ops::relu(-x);
  return 1.0 - erfc_of_positive(right * kInvSqrt2) * 0.5 +
         (erfc_of_positive(left * kInvSqrt2) - 1.0) * 0.5;
}

Tensor exact_gelu(const Tensor& x) {
  const auto value = [&] {
    const NoGrad guard;
    return x * normal_cdf(x);
  }();
  return record(value, "gelu", {x}, {x}, [](const BackwardContext& c) {
    const Tensor& at = c.saved[0];
    const Tensor density = ops::exp(at * at * -0.5) * kInvSqrt2Pi;
    return Gradients{c.gradient * (normal_cdf(at) + at * density)};
  });
}

Tensor tanh_gelu(const Tensor& x) {
  constexpr double kCubic = 0.044715;
  constexpr double kScale = 2.0 * kInvSqrt2Pi;  // √(2/π)
  const Tensor inner = x * (x * x * kCubic + 1.0) * kScale;
  return x * (ops::tanh(inner) + 1.0) * 0.5;
}

}  // namespace

Tensor Relu::forward(const Tensor& input) { return ops::relu(input); }
Tensor Tanh::forward(const Tensor& input) { return ops::tanh(input); }
Tensor Sigmoid::forward(const Tensor& input) { return ops::sigmoid(input); }
Tensor Softmax::forward(const Tensor& input) { return ops::softmax(input); }

Tensor Gelu::forward(const Tensor& input) {
  return kind_ == GeluKind::exact ? exact_gelu(input) : tanh_gelu(input);
}

std::string Gelu::repr() const {
  return kind_ == GeluKind::exact ? "Gelu()" : "Gelu(approximate='tanh')";
}

}  // namespace spiraltorch::nn
