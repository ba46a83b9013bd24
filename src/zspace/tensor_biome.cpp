#include "spiraltorch/zspace/tensor_biome.hpp"

#include <numeric>

#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "zspace/checks.hpp"

namespace spiraltorch {

void TensorBiome::absorb_weighted(std::string_view label, const Tensor& tensor, double weight) {
  zspace::check_positive("absorb_weighted", "weight", weight);
  if (!shoots_.empty()) {
    check_same_shape("absorb_weighted", text("'", label, "'"), tensor.shape(),
                     shoots_.front().shape());
    check_same_device("absorb_weighted", {&shoots_.front(), &tensor});
  }
  Tensor shoot = topos_.rewrite(label, tensor);
  std::string name(label);
  labels_.reserve(labels_.size() + 1);
  weights_.reserve(weights_.size() + 1);
  shoots_.reserve(shoots_.size() + 1);  // nothing below throws
  labels_.push_back(std::move(name));
  weights_.push_back(weight);
  shoots_.push_back(std::move(shoot));
}

Tensor TensorBiome::stack() const {
  require(!is_empty(), Errc::empty_input, "stack", "biome: got an empty one, expected shoots");
  return Tensor::cat_rows(shoots_);
}

Tensor TensorBiome::canopy(CanopyMode mode) const {
  require(!is_empty(), Errc::empty_input, "canopy", "biome: got an empty one, expected shoots");
  if (mode == CanopyMode::gyro) return gyro_canopy();
  const double total = total_weight();
  std::vector<double> shares(weights_);
  for (double& w : shares) w /= total;
  const Shape shape = shoots_.front().shape();
  const Tensor flat = stack().reshape(static_cast<std::int64_t>(shoots_.size()), shape.size());
  const Tensor mean = ops::weighted_sum(flat, shares).reshape(shape.rows, shape.cols);
  return mean.clamp(-topos_.saturation(), topos_.saturation());
}

Tensor TensorBiome::gyro_canopy() const {
  const PoincareBall ball(topos_.curvature());
  const double kappa = -topos_.curvature();
  for (std::size_t k = 0; k < shoots_.size(); ++k) {
    const auto norms = shoots_[k].norm(Axis::cols).data();
    for (std::size_t i = 0; i < norms.size(); ++i) {
      if (std::sqrt(kappa) * norms[i] < 1.0) continue;
      fail(Errc::invalid_value, "canopy",
           text("row ", i, " of '", labels_[k], "': got scaled norm ", std::sqrt(kappa) * norms[i],
                ", expected less than 1"));
    }
  }
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < shoots_.front().rows(); ++i) {
    std::vector<Tensor> same;
    for (const Tensor& shoot : shoots_) same.push_back(shoot.row(i));
    rows.push_back(ball.gyromidpoint(Tensor::cat_rows(same), weights_));
  }
  return Tensor::cat_rows(rows);
}

std::vector<Tensor> TensorBiome::shoots() const {
  std::vector<Tensor> out;
  for (const Tensor& shoot : shoots_) out.push_back(shoot.clone());
  return out;
}

double TensorBiome::total_weight() const {
  return std::accumulate(weights_.begin(), weights_.end(), 0.0);
}

void TensorBiome::clear() {
  labels_.clear();
  weights_.clear();
  shoots_.clear();
}

std::string TensorBiome::repr() const {
  return text("TensorBiome(curvature=", topos_.curvature(), ", shoots=", shoots_.size(), ")");
}

}  // namespace spiraltorch
