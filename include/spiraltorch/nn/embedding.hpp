#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"

namespace spiraltorch::nn {

/// Rows of a table by number: (B, L) numbers give (B, L·dim), the L rows side by side. Gradients
/// are summed in ascending source order.
///
/// Errors: `out_of_range` for a number outside [0, count), `invalid_value` for one that is no
/// integer, `invalid_shape` without numbers.
class SPIRALTORCH_API Embedding final : public Module {
 public:
  /// Weights standard normal.
  Embedding(std::int64_t count, std::int64_t dim, std::string name = "embedding");

  /// Integers as float32 numbers: exact up to 2²⁴.
  Tensor forward(const Tensor& input) override;
  Tensor forward(const IndexTensor& input);
  [[nodiscard]] const Parameter& weight() const noexcept { return weight_; }
  [[nodiscard]] std::string repr() const override;

 private:
  std::string name_;
  Parameter weight_;
};

/// The same lookup in a table of points (Nickel & Kiela 2017), at first symmetric within
/// init_radius/√κ.
class SPIRALTORCH_API PoincareEmbedding final : public Module {
 public:
  PoincareEmbedding(std::int64_t count, std::int64_t dim, double curvature = -1.0,
                    double init_radius = 1e-3, std::string name = "poincare_embedding");
  /// A table of these points, a copy on their device; each row is projected into the ball.
  /// `non_finite`; `curvature`.
  [[nodiscard]] static std::shared_ptr<PoincareEmbedding> from_pretrained(
      const Tensor& points, double curvature = -1.0, std::string name = "poincare_embedding");

  Tensor forward(const Tensor& input) override;
  Tensor forward(const IndexTensor& input);
  /// Between the points i and j.
  [[nodiscard]] double distance(std::int64_t i, std::int64_t j) const;
  [[nodiscard]] const Parameter& weight() const noexcept { return weight_; }
  [[nodiscard]] double curvature() const noexcept { return ball_.curvature(); }
  [[nodiscard]] std::string repr() const override;

 private:
  PoincareEmbedding(const Tensor& points, const PoincareBall& ball, std::string name);
  PoincareBall ball_;
  double init_radius_;
  std::string name_;
  Parameter weight_;
};

}  // namespace spiraltorch::nn
