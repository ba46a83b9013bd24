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

namespace spiraltorch::nn {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

// Mean of softplus(z) - τz as log(1 + e^-|z|) + (1-τ)max(z, 0) + τ·max(-z, 0), whose terms are not
// negative and so do not cancel; its derivative is (σ(z) - τ)/N.
Tensor logistic_loss(const Tensor& z, const Tensor& label, const Tensor& rest) {
  const auto value = [&] {
    const NoGrad guard;
    const Tensor tail = ops::log(ops::exp(ops::neg(ops::abs(z))) + 1.0);
    return ops::mean(tail + rest * ops::relu(z) + label * ops::relu(-z));
  }();
  return record(value, "logistic_loss", {z}, {z, label}, [](const BackwardContext& c) {
    const Tensor& at = c.saved[0];
    const Tensor g = ops::sigmoid(at) - c.saved[1];
    return Gradients{ops::scale(g, 1.0 / static_cast<double>(at.size())) * c.gradient};
  });
}

void check_finite(std::string_view op, std::string_view what, double value) {
  if (std::isfinite(value)) return;
  fail(Errc::non_finite, op, text(what, ": got ", value, ", expected a finite number"));
}

void check_fermi_dirac(std::string_view op, double radius, double temperature) {
  check_finite(op, "radius", radius);
  check_positive(op, "temperature", temperature);
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

Tensor HyperbolicCrossEntropy::forward(const Tensor& prediction, const Tensor& target) const {
  check_same_shape("HyperbolicCrossEntropy", "target", target.shape(), prediction.shape());
  check_target("HyperbolicCrossEntropy", prediction, target, false);
  const Tensor label = ops::clamp(target, epsilon_, 1.0 - epsilon_);
  const Tensor rest = ops::clamp(1.0 - target, epsilon_, 1.0 - epsilon_);
  return logistic_loss(ops::scale(prediction, std::sqrt(-curvature_)), label, rest);
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

Tensor FermiDiracLoss::forward(const Tensor& prediction, const Tensor& target) const {
  check_same_shape("FermiDiracLoss", "target", target.shape(), prediction.shape());
  check_target("FermiDiracLoss", prediction, target, false);
  const auto least = [](const Tensor& x) { return ops::min(x.detach()).item(); };
  // A prediction that is not a number is the loss' to show, and the trainer's to report.
  if (const double low = least(prediction); low < 0) {
    fail(Errc::invalid_value, "FermiDiracLoss",
         text("prediction: got ", low, ", expected distances >= 0"));
  }
  const double low = least(target);
  const double high = ops::max(target).item();
  if (!(low >= 0 && high <= 1)) {
    fail(Errc::invalid_value, "FermiDiracLoss",
         text("target: got entries from ", low, " to ", high, ", expected labels in [0, 1]"));
  }
  const Tensor z = (radius_ - prediction) / temperature_;
  return logistic_loss(z, target, 1.0 - target);
}

std::string FermiDiracLoss::repr() const {
  return text("FermiDiracLoss(", radius_, ", ", temperature_, ")");
}

}  // namespace spiraltorch::nn
