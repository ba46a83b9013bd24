#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "learning.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/tensor/autograd.hpp"

/// What the tests of layers and losses share.
namespace nn_test {

using learning::Json;
using namespace spiraltorch;

inline Tensor tensor(const Json& rows) {
  return Tensor::from_rows(rows.get<std::vector<std::vector<double>>>());
}

inline void check_all(const Tensor& got, const Json& want) {
  REQUIRE(got.rows() == std::ssize(want));
  for (std::int64_t i = 0; i < got.rows(); ++i) {
    const Json& row = want[static_cast<std::size_t>(i)];
    REQUIRE(got.cols() == std::ssize(row));
    for (std::int64_t j = 0; j < got.cols(); ++j) {
      learning::check_near(got.at(i, j), row[static_cast<std::size_t>(j)].get<double>());
    }
  }
}

/// The part of a parameter's name after "::".
inline std::string local_name(const std::string& name) { return name.substr(name.rfind("::") + 2); }

/// Output and gradients of one golden case.
inline void check_layer(nn::Module& layer, const Json& want) {
  CAPTURE(layer.repr());
  for (auto& [name, parameter] : layer.named_parameters()) {
    const NoGrad guard;
    nn::Parameter p = parameter;
    p.copy_(tensor(want.at("params").at(local_name(name))));
  }
  const Tensor input = tensor(want.at("input"));
  check_all(layer.forward(input), want.at("output"));
  const Tensor gradient = layer.backward(input, tensor(want.at("grad_output")));
  if (want.contains("grad_input") && !want.at("grad_input").is_null()) {
    check_all(gradient, want.at("grad_input"));
  }
  for (auto& [name, parameter] : layer.named_parameters()) {
    CAPTURE(name);
    REQUIRE(parameter.grad());
    check_all(*parameter.grad(), want.at("grad_params").at(local_name(name)));
  }
}

/// Central differences by every leaf; `f` returns a tensor, whose entries count differently.
inline void check_gradient(const std::function<Tensor()>& f, std::vector<Tensor> leaves,
                           double step = 1.0 / 256, double tolerance = 5e-3) {
  const auto weights = [](const Tensor& y) {
    return Tensor::from_fn(y.rows(), y.cols(),
                           [&](auto i, auto j) { return 1.0 + 0.37 * double(i * y.cols() + j); });
  };
  const auto value = [&] {
    const NoGrad guard;
    const Tensor y = f();
    const auto data = y.data();
    double sum = 0;
    for (std::size_t i = 0; i < data.size(); ++i) sum += data[i] * (1.0 + 0.37 * double(i));
    return sum;
  };
  for (Tensor& leaf : leaves) leaf.zero_grad();
  const Tensor y = f();
  y.backward(weights(y));
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    REQUIRE(leaves[k].grad());
    const auto gradient = leaves[k].grad()->data();
    const auto start = leaves[k].data();
    for (std::size_t i = 0; i < start.size(); ++i) {
      const auto shifted = [&](double h) {
        auto values = start;
        values[i] += static_cast<float>(h);
        const NoGrad guard;
        leaves[k].copy_(Tensor(leaves[k].rows(), leaves[k].cols(), std::span<const float>(values)));
        const double at = value();
        leaves[k].copy_(Tensor(leaves[k].rows(), leaves[k].cols(), std::span<const float>(start)));
        return at;
      };
      const double expected = (shifted(step) - shifted(-step)) / (2 * step);
      CAPTURE(k);
      CAPTURE(i);
      CHECK(gradient[i] == doctest::Approx(expected).epsilon(tolerance).scale(1));
    }
  }
}

/// A tracked leaf of reproducible numbers about 0.
inline Tensor leaf(std::int64_t rows, std::int64_t cols, double scale, std::uint64_t seed) {
  Tensor x = Tensor::randn(rows, cols, seed).scale(scale);
  x.requires_grad_();
  return x;
}

/// The layer's gradients by its input and parameters.
inline void check_layer_gradient(nn::Module& layer, const Tensor& input) {
  CAPTURE(layer.repr());
  std::vector<Tensor> leaves{input};
  for (const auto& parameter : layer.parameters()) leaves.push_back(parameter);
  check_gradient([&] { return layer.forward(input); }, leaves);
}

}  // namespace nn_test
