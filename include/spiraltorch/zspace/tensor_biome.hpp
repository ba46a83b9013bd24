#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/open_topos.hpp"

namespace spiraltorch {

/// How `TensorBiome::canopy` averages.
enum class CanopyMode : std::uint8_t { mean, gyro };

/// A weighted list of equally shaped tensors.
///
/// Errors: `non_finite`, `invalid_value` (weights), `volume_exceeded`, `shape_mismatch`,
/// `empty_input`; a failed call leaves the biome as it was.
class SPIRALTORCH_API TensorBiome {
 public:
  explicit TensorBiome(OpenTopos topos) : topos_(topos) {}

  void absorb(std::string_view label, const Tensor& tensor) { absorb_weighted(label, tensor, 1.0); }
  /// Stores label, weight (finite, > 0) and the topos' rewrite of the tensor, which keeps its own.
  void absorb_weighted(std::string_view label, const Tensor& tensor, double weight);
  /// `mean`: sat_s(Σw_iX_i/Σw_i). `gyro`: row by row the gyromidpoint in the ball of the topos'
  /// curvature; a row outside the ball is `invalid_value`.
  [[nodiscard]] Tensor canopy(CanopyMode mode = CanopyMode::mean) const;
  /// All tensors below each other in order of absorption.
  [[nodiscard]] Tensor stack() const;

  [[nodiscard]] const OpenTopos& topos() const noexcept { return topos_; }
  [[nodiscard]] const std::vector<std::string>& labels() const noexcept { return labels_; }
  [[nodiscard]] const std::vector<double>& weights() const noexcept { return weights_; }
  /// Copies of the tensors.
  [[nodiscard]] std::vector<Tensor> shoots() const;
  [[nodiscard]] double total_weight() const;
  [[nodiscard]] std::size_t len() const noexcept { return shoots_.size(); }
  [[nodiscard]] bool is_empty() const noexcept { return shoots_.empty(); }
  /// Also forgets the shape.
  void clear();
  [[nodiscard]] std::string repr() const;

 private:
  [[nodiscard]] Tensor gyro_canopy() const;
  OpenTopos topos_;
  std::vector<std::string> labels_;
  std::vector<double> weights_;
  std::vector<Tensor> shoots_;
};

}  // namespace spiraltorch
