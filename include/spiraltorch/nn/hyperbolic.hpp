#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

struct PoincareLinearOptions {
  bool bias = true;
  double gain = 1.0;
};

/// y = (W⊗x) ⊕ b in the ball (Ganea, Bécigneul & Hofmann 2018), `mobius_matvec` and `mobius_add`: W
/// of shape (input_dim, output_dim), symmetric within gain/√in at first; b a point, at first 0.
/// Composes like a matrix; orthogonal W are isometries. O(B·in·out).
class SPIRALTORCH_API PoincareLinear final : public Module {
 public:
  PoincareLinear(std::int64_t input_dim, std::int64_t output_dim, double curvature = -1.0,
                 std::string name = "poincare_linear", PoincareLinearOptions options = {});
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] double curvature() const noexcept { return ball_.curvature(); }
  [[nodiscard]] const Parameter& weight() const noexcept { return weight_; }
  [[nodiscard]] const std::optional<Parameter>& bias() const noexcept { return bias_; }
  [[nodiscard]] std::string repr() const override;

 private:
  PoincareBall ball_;
  std::string name_;
  PoincareLinearOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

struct PoincareMLROptions {
  double gain = 1.0;
};

/// Logits from signed distances to hyperplanes, in the form of Shimizu, Mukuta & Harada (2021):
/// column z_k of the weight is a normal, offset r_k its signed distance from the origin,
/// v_k(x) = (2‖z_k‖/√κ)·asinh(λ_x√κ⟨x, ẑ_k⟩cosh(2√κ r_k) − (λ_x−1)sinh(2√κ r_k)), x ← Πx;
/// 0 with derivative 0 where z_k = 0. κ → 0: 4(⟨x,z⟩ − r‖z‖). Train with `CrossEntropy`.
/// O(B·dim·classes).
class SPIRALTORCH_API PoincareMLR final : public Module {
 public:
  PoincareMLR(std::int64_t dim, std::int64_t classes, double curvature = -1.0,
              std::string name = "poincare_mlr", PoincareMLROptions options = {});
  Tensor forward(const Tensor& input) override;
  [[nodiscard]] double curvature() const noexcept { return ball_.curvature(); }
  [[nodiscard]] const Parameter& weight() const noexcept { return weight_; }
  [[nodiscard]] const Parameter& offset() const noexcept { return offset_; }
  [[nodiscard]] std::string repr() const override;

 private:
  PoincareBall ball_;
  std::string name_;
  PoincareMLROptions options_;
  Parameter weight_;
  Parameter offset_;
};

}  // namespace spiraltorch::nn
