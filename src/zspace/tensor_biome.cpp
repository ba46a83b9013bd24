#include "spiraltorch/zspace/tensor_biome.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "zspace/checks.hpp"

namespace spiraltorch {
namespace {

// In double: rounded to float32, a row just inside the ball could seem to lie on its boundary.
double row_norm(const float* row, std::int64_t cols) {
  double squares = 0.0;
  for (std::int64_t j = 0; j < cols; ++j) squares += static_cast<double>(row[j]) * row[j];
  return std::sqrt(squares);
}

}  // namespace

void TensorBiome::absorb_weighted(std::string_view label, const Tensor& tensor, double weight) {
  zspace::check_positive("absorb_weighted", "weight", weight);
  if (!shoots_.empty()) {
    check_same_shape("absorb_weighted", text("'", label, "'"), tensor.shape(),
                     shoots_.front().shape());
    check_same_device("absorb_weighted", {&shoots_.front(), &tensor});
  }
  Tensor shoot = topos_.rewrite(label, tensor);
  std::string name(label);
  if (shoots_.size() == shoots_.capacity()) {  // so that nothing below throws
    const std::size_t capacity = std::max<std::size_t>(8, 2 * shoots_.size());
    labels_.reserve(capacity);
    weights_.reserve(capacity);
    shoots_.reserve(capacity);
  }
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
  // Relative to the heaviest, so that their sum cannot overflow.
  const double heaviest = *std::max_element(weights_.begin(), weights_.end());
  std::vector<double> shares(weights_);
  for (double& w : shares) w /= heaviest;
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& w : shares) w /= total;
  const Shape shape = shoots_.front().shape();
  const Tensor flat = stack().reshape(static_cast<std::int64_t>(shoots_.size()), shape.size());
  const Tensor mean = ops::weighted_sum(flat, shares).reshape(shape.rows, shape.cols);
  return topos_.rewrite("canopy", mean);
}

Tensor TensorBiome::gyro_canopy() const {
  const PoincareBall ball(topos_.curvature());
  const double root = std::sqrt(-topos_.curvature());
  const Shape shape = shoots_.front().shape();
  for (std::size_t k = 0; k < shoots_.size(); ++k) {
    const std::shared_ptr<const float> data = shoots_[k].host();
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      const double norm = root * row_norm(data.get() + i * shape.cols, shape.cols);
      if (norm < 1.0) continue;
      fail(Errc::invalid_value, "canopy",
           text("row ", i, " of '", labels_[k], "': got scaled norm ", norm,
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
