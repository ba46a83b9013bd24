#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learning.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/data/sources.hpp"
#include "spiraltorch/nn/activation.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "spiraltorch/nn/hyperbolic.hpp"
#include "spiraltorch/nn/linear.hpp"
#include "spiraltorch/nn/regularise.hpp"
#include "spiraltorch/nn/sequential.hpp"
#include "spiraltorch/optim/optimizer.hpp"
#include "spiraltorch/session/spiral_session.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/train/trainer.hpp"

namespace train_test {

using learning::Json;
using namespace spiraltorch;

inline Tensor tensor(const Json& rows) {
  return Tensor::from_rows(rows.get<std::vector<std::vector<double>>>());
}

/// Relative and absolute tolerance of a golden topic.
inline void check_near(double got, double want, const char* topic) {
  const Json& tolerance = learning::file().at("tolerance").at(topic);
  const double bound =
      tolerance.at("atol").get<double>() + tolerance.at("rtol").get<double>() * std::abs(want);
  CHECK(std::abs(got - want) <= bound);
}

inline void check_all(const Tensor& got, const Json& want, const char* topic) {
  const auto data = got.data();
  std::size_t i = 0;
  for (const Json& row : want) {
    for (const Json& value : row) check_near(data.at(i++), value.get<double>(), topic);
  }
  CHECK(i == data.size());
}

/// The bits of all parameters.
inline std::vector<std::vector<float>> bits(const nn::Module& module) {
  std::vector<std::vector<float>> out;
  for (const auto& parameter : module.parameters()) out.push_back(parameter.data());
  return out;
}

/// A mixed model with random numbers of its own: Euclidean and ball parameters, dropout.
inline nn::ModulePtr mixed_model() {
  manual_seed(3);
  return std::make_shared<nn::Sequential>(
      std::vector<nn::ModulePtr>{std::make_shared<nn::Linear>(4, 6, "first"),
                                 std::make_shared<nn::Tanh>(), std::make_shared<nn::Dropout>(0.25),
                                 std::make_shared<nn::PoincareLinear>(6, 3, -1.0, "second"),
                                 std::make_shared<nn::PoincareMLR>(3, 3, -1.0, "head")});
}

/// 20 samples of three classes.
inline DataLoader samples() {
  const Tensor x = Tensor::randn(20, 4, 5);
  const Tensor t = Tensor::from_fn(20, 1, [](auto i, auto) { return double(i % 3); });
  return dataset::from_tensors(x, t).shuffle(11).batched(6).prefetch(2);
}

}  // namespace train_test
