#include "spiraltorch/nn/loss.hpp"

#include <cmath>
#include <vector>

#include "nn/loss_parts.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"
#include "spiraltorch/tensor/recording.hpp"

namespace spiraltorch::nn {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

void check_classes(const Tensor& target, std::int64_t count) {
  const auto numbers = target.data();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float k = numbers[i];
    if (k >= 0 && k < static_cast<float>(count) && k == std::floor(k)) continue;
    fail(Errc::invalid_value, "CrossEntropy",
         text("target, row ", i, ": got ", k, ", expected a class in [0, ", count, ")"));
  }
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

// The kernel finds a bad target and makes the value NaN; the row is looked for only then.
ops::LossParts entropy(const Tensor& prediction, const Tensor& target, bool gradient) {
  check_same_device("CrossEntropy", {&prediction, &target});
  const std::int64_t count = prediction.cols();
  if (count < 2) {
    fail(Errc::shape_mismatch, "CrossEntropy",
         text("prediction: got ", to_text(prediction.shape()), ", expected at least 2 columns"));
  }
  const bool classes = target.shape() == Shape{prediction.rows(), 1};
  if (!classes) check_same_shape("CrossEntropy", "target", target.shape(), prediction.shape());
  ops::LossParts parts = ops::cross_entropy(prediction, target, gradient);
  detail::explain_nan(parts.value, [goal = target.detach(), classes, count] {
    classes ? check_classes(goal, count) : check_probabilities(goal);
  });
  return parts;
}

ops::LossParts squares(const Tensor& prediction, const Tensor& target, bool gradient) {
  check_same_shape("MeanSquaredError", "target", target.shape(), prediction.shape());
  check_same_device("MeanSquaredError", {&prediction, &target});
  return ops::squared_error(prediction, target, gradient);
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

Tensor recorded(std::string_view op, const ops::LossParts& parts,
                const std::vector<Tensor>& inputs) {
  if (!parts.gradient) return parts.value;
  return record(parts.value, op, inputs, {*parts.gradient}, [](const BackwardContext& c) {
    const Tensor by_prediction = ops::mul(c.saved[0], c.gradient);
    Gradients out(c.needed.size());
    if (c.needed[0]) out[0] = by_prediction;
    if (c.needed.size() > 1 && c.needed[1]) out[1] = ops::neg(by_prediction);
    return out;
  });
}

LossResult result_of(ops::LossParts parts) {
  return {std::move(parts.value), *std::move(parts.gradient)};
}

Tensor MeanSquaredError::forward(const Tensor& prediction, const Tensor& target) const {
  const bool tracked = is_recorded({&prediction, &target});
  return recorded("squared_error", squares(prediction, target, tracked), {prediction, target});
}

LossResult MeanSquaredError::value_and_gradient(const Tensor& prediction,
                                                const Tensor& target) const {
  return result_of(squares(prediction, target, true));
}

// The gradient is (softmax(p)·Σt - t)/B: exact also where a row's sum is not quite 1.
Tensor CrossEntropy::forward(const Tensor& prediction, const Tensor& target) const {
  check_target("CrossEntropy", prediction, target, false);
  return recorded("cross_entropy", entropy(prediction, target, is_recorded({&prediction})),
                  {prediction});
}

LossResult CrossEntropy::value_and_gradient(const Tensor& prediction, const Tensor& target) const {
  return result_of(entropy(prediction, target, true));
}

}  // namespace spiraltorch::nn
