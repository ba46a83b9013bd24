#include "spiraltorch/nn/loss.hpp"

#include <cmath>
#include <vector>

#include "nn/loss_parts.hpp"
#include "nn/recording.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::nn {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

// Rows of zeros with a one at the class.
Tensor one_hot(const Tensor& classes, const Tensor& prediction) {
  const auto numbers = classes.data();
  const auto count = static_cast<std::size_t>(prediction.cols());
  std::vector<float> rows(numbers.size() * count);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float k = numbers[i];
    if (!(k >= 0 && k < static_cast<float>(count)) || k != std::floor(k)) {
      fail(Errc::invalid_value, "CrossEntropy",
           text("target, row ", i, ": got ", k, ", expected a class in [0, ", count, ")"));
    }
    rows[i * count + static_cast<std::size_t>(k)] = 1.0F;
  }
  return {prediction.rows(),
          prediction.cols(),
          std::span<const float>(rows),
          {.requires_grad = false, .device = prediction.device()}};
}

void check_probabilities(const Tensor& target) {
  const auto values = target.data();
  const auto count = static_cast<std::size_t>(target.cols());
  for (std::size_t row = 0; row * count < values.size(); ++row) {
    double sum = 0.0;
    bool negative = false;
    for (std::size_t j = 0; j < count; ++j) {
      const float value = values[row * count + j];
      sum += value;
      negative = negative || !(value >= 0);
    }
    if (negative || !(std::abs(sum - 1.0) <= 1e-4)) {
      fail(Errc::invalid_value, "CrossEntropy",
           text("target, row ", row, ": got ", negative ? "a negative entry" : "sum ",
                negative ? "" : to_text(sum), ", expected probabilities"));
    }
  }
}

Tensor class_rows(const Tensor& prediction, const Tensor& target) {
  if (prediction.cols() < 2) {
    fail(Errc::shape_mismatch, "CrossEntropy",
         text("prediction: got ", to_text(prediction.shape()), ", expected at least 2 columns"));
  }
  if (target.shape() == Shape{prediction.rows(), 1}) return one_hot(target, prediction);
  check_same_shape("CrossEntropy", "target", target.shape(), prediction.shape());
  check_probabilities(target);
  return target.detach();
}

}  // namespace

LossResult Loss::value_and_gradient(const Tensor& prediction, const Tensor& target) const {
  const Recording recording;
  Tensor leaf = prediction.detach();
  leaf.requires_grad_();
  const Tensor value = forward(leaf, target.detach());
  value.backward();
  return {value.detach(), *leaf.grad()};
}

Tensor Loss::backward(const Tensor& prediction, const Tensor& target) const {
  return value_and_gradient(prediction, target).gradient;
}

void check_target(std::string_view op, const Tensor& prediction, const Tensor& target,
                  bool may_be_tracked) {
  check_same_device(op, {&prediction, &target});
  require(may_be_tracked || !is_recorded({&target}), Errc::unsupported, op,
          "target: got a tracked tensor, expected a constant (detach)");
}

Tensor MeanSquaredError::forward(const Tensor& prediction, const Tensor& target) const {
  check_same_shape("MeanSquaredError", "target", target.shape(), prediction.shape());
  check_target("MeanSquaredError", prediction, target, true);
  const Tensor difference = ops::sub(prediction, target);
  return ops::mean(ops::mul(difference, difference));
}

// The gradient is (softmax(p)·Σt - t)/B: exact also where a row's sum is not quite 1.
Tensor CrossEntropy::forward(const Tensor& prediction, const Tensor& target) const {
  check_target("CrossEntropy", prediction, target, false);
  const Tensor rows = class_rows(prediction, target);
  const double scale = 1.0 / static_cast<double>(prediction.rows());
  const auto value = [&] {
    const NoGrad guard;
    return ops::scale(ops::sum(ops::mul(rows, ops::log_softmax(prediction))), -scale);
  }();
  return record(value, "cross_entropy", {prediction}, {prediction, rows},
                [scale](const BackwardContext& c) {
                  const Tensor& t = c.saved[1];
                  const Tensor mass = ops::sum(t, Axis::cols);
                  const Tensor g = ops::softmax(c.saved[0]) * mass - t;
                  return Gradients{ops::scale(g, scale) * c.gradient};
                });
}

}  // namespace spiraltorch::nn
