#include "spiraltorch/nn/activation.hpp"

#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"

namespace spiraltorch::nn {

Tensor Relu::forward(const Tensor& input) { return ops::relu(input); }
Tensor Tanh::forward(const Tensor& input) { return ops::tanh(input); }
Tensor Sigmoid::forward(const Tensor& input) { return ops::sigmoid(input); }
Tensor Softmax::forward(const Tensor& input) { return ops::softmax(input); }

Tensor Gelu::forward(const Tensor& input) {
  return kind_ == GeluKind::exact ? ops::gelu(input) : ops::gelu_tanh(input);
}

std::string Gelu::repr() const {
  return kind_ == GeluKind::exact ? "Gelu()" : "Gelu(approximate='tanh')";
}

}  // namespace spiraltorch::nn
