#include "spiraltorch/nn/hyperbolic_loss.hpp"

#include <cmath>
#include <vector>

#include "nn/init.hpp"
#include "nn/loss_parts.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::nn {
namespace {

void check_finite(std::string_view op, std::string_view what, double value) {
  if (std::isfinite(value)) return;
  fail(Errc::non_finite, op, text(what, ": got ", value, ", expected a finite number"));
}

void check_fermi_dirac(std::string_view op, double radius, double temperature) {
  check_finite(op, "radius", radius);
  check_positive(op, "temperature", temperature);
}

// A prediction that is not a number is the loss' to show, and the trainer's to report.
void check_edges(const Tensor& prediction, const Tensor& target) {
  const auto lengths = prediction.data();
  const auto labels = target.data();
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::size_t row = i / static_cast<std::size_t>(prediction.cols());
    if (lengths[i] < 0) {
      fail(Errc::invalid_value, "FermiDiracLoss",
           text("prediction, row ", row, ": got ", lengths[i], ", expected distances >= 0"));
    }
    if (!(labels[i] >= 0 && labels[i] <= 1)) {
      fail(Errc::invalid_value, "FermiDiracLoss",
           text("target, row ", row, ": got ", labels[i], ", expected labels in [0, 1]"));
    }
  }
}

}  // namespace

Tensor fermi_dirac(const Tensor& distance, double radius, double temperature) {
  check_fermi_dirac("fermi_dirac", radius, temperature);
  return ops::sigmoid((radius - distance) / temperature);
}

HyperbolicCrossEntropy::HyperbolicCrossEntropy(double curvature, double epsilon)
    : curvature_(PoincareBall(curvature).curvature()), epsilon_(epsilon) {
  if (epsilon > 0 && epsilon < 0.5) return;
  fail(Errc::invalid_value, "HyperbolicCrossEntropy",
       text("epsilon: got ", epsilon, ", expected a number in (0, 0.5)"));
}

ops::LossParts HyperbolicCrossEntropy::evaluate(const Tensor& prediction, const Tensor& target,
                                                bool gradient) const {
  check_same_shape("HyperbolicCrossEntropy", "target", target.shape(), prediction.shape());
  check_same_device("HyperbolicCrossEntropy", {&prediction, &target});
  const ops::LogisticOptions options{
      .slope = std::sqrt(-curvature_), .low = epsilon_, .high = 1.0 - epsilon_};
  return ops::logistic_loss(prediction, target, options, gradient);
}

Tensor HyperbolicCrossEntropy::forward(const Tensor& prediction, const Tensor& target) const {
  check_target("HyperbolicCrossEntropy", prediction, target, false);
  return recorded("logistic_loss", evaluate(prediction, target, is_recorded({&prediction})),
                  {prediction});
}

LossResult HyperbolicCrossEntropy::value_and_gradient(const Tensor& prediction,
                                                      const Tensor& target) const {
  return result_of(evaluate(prediction, target, true));
}

std::string HyperbolicCrossEntropy::repr() const {
  return text("HyperbolicCrossEntropy(", curvature_, ", ", epsilon_, ")");
}

Tensor PoincareDistanceLoss::forward(const Tensor& prediction, const Tensor& target) const {
  check_same_shape("PoincareDistanceLoss", "target", target.shape(), prediction.shape());
  check_target("PoincareDistanceLoss", prediction, target, true);
  return ops::mean(ball_.dist(prediction, target, true));
}

std::string PoincareDistanceLoss::repr() const {
  return text("PoincareDistanceLoss(", ball_.curvature(), ")");
}

FermiDiracLoss::FermiDiracLoss(double radius, double temperature)
    : radius_(radius), temperature_(temperature) {
  check_fermi_dirac("FermiDiracLoss", radius, temperature);
}

ops::LossParts FermiDiracLoss::evaluate(const Tensor& prediction, const Tensor& target,
                                        bool gradient) const {
  check_same_shape("FermiDiracLoss", "target", target.shape(), prediction.shape());
  check_same_device("FermiDiracLoss", {&prediction, &target});
  const ops::LogisticOptions options{
      .slope = -1.0 / temperature_, .shift = radius_ / temperature_, .checked = true};
  ops::LossParts parts = ops::logistic_loss(prediction, target, options, gradient);
  detail::explain_nan(parts.value,
                      [p = prediction.detach(), t = target.detach()] { check_edges(p, t); });
  return parts;
}

Tensor FermiDiracLoss::forward(const Tensor& prediction, const Tensor& target) const {
  check_target("FermiDiracLoss", prediction, target, false);
  return recorded("logistic_loss", evaluate(prediction, target, is_recorded({&prediction})),
                  {prediction});
}

LossResult FermiDiracLoss::value_and_gradient(const Tensor& prediction,
                                              const Tensor& target) const {
  return result_of(evaluate(prediction, target, true));
}

std::string FermiDiracLoss::repr() const {
  return text("FermiDiracLoss(", radius_, ", ", temperature_, ")");
}

}  // namespace spiraltorch::nn
