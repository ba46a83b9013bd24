#pragma once

#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/ops/loss.hpp"

namespace spiraltorch::nn {

/// 1/(1 + e^((d - radius)/temperature)): the edge probability of Krioukov et al. (2010).
/// temperature finite and > 0, radius finite.
[[nodiscard]] SPIRALTORCH_API Tensor fermi_dirac(const Tensor& distance, double radius = 2.0,
                                                 double temperature = 1.0);

/// mean[softplus(z) - τz], z = √κ·p, τ = clip(t, ε, 1-ε): p are signed hyperbolic lengths, such as
/// margins to a hyperplane, and √κ·p their form without a unit.
class SPIRALTORCH_API HyperbolicCrossEntropy final : public Loss {
 public:
  /// 0 < epsilon < ½.
  explicit HyperbolicCrossEntropy(double curvature = -1.0, double epsilon = 1e-5);
  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override;
  [[nodiscard]] LossResult value_and_gradient(const Tensor& prediction,
                                              const Tensor& target) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  [[nodiscard]] ops::LossParts evaluate(const Tensor& prediction, const Tensor& target,
                                        bool gradient) const;
  double curvature_;
  double epsilon_;
};

/// (1/B)Σ d(p_b, t_b)²; differentiable by the target too.
class SPIRALTORCH_API PoincareDistanceLoss final : public Loss {
 public:
  explicit PoincareDistanceLoss(double curvature = -1.0) : ball_(curvature) {}
  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  PoincareBall ball_;
};

/// mean[softplus(z) - tz], z = (radius - p)/temperature, of distances p ≥ 0 and edge labels in
/// [0, 1]: the cross-entropy of `fermi_dirac`.
class SPIRALTORCH_API FermiDiracLoss final : public Loss {
 public:
  explicit FermiDiracLoss(double radius = 2.0, double temperature = 1.0);
  [[nodiscard]] Tensor forward(const Tensor& prediction, const Tensor& target) const override;
  [[nodiscard]] LossResult value_and_gradient(const Tensor& prediction,
                                              const Tensor& target) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  [[nodiscard]] ops::LossParts evaluate(const Tensor& prediction, const Tensor& target,
                                        bool gradient) const;
  double radius_;
  double temperature_;
};

}  // namespace spiraltorch::nn
