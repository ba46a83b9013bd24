#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// Whether two curvatures match: |a − b| ≤ t·max(1, |a|, |b|).
[[nodiscard]] SPIRALTORCH_API bool curvatures_match(double a, double b, double tolerance = 1e-6);

/// A numeric guard: bounds on values, sizes and depth, fixed at construction.
///
/// Errors: `curvature`; `non_finite`, `invalid_value` for limits outside their ranges.
class SPIRALTORCH_API OpenTopos {
 public:
  /// tolerance, saturation finite and > 0; max_depth, max_volume ≥ 1.
  explicit OpenTopos(double curvature, double tolerance = 1e-6, double saturation = 1e6,
                     std::int64_t max_depth = 4096, std::int64_t max_volume = 1048576);

  [[nodiscard]] double curvature() const noexcept { return curvature_; }
  [[nodiscard]] double tolerance() const noexcept { return tolerance_; }
  [[nodiscard]] double saturation() const noexcept { return saturation_; }
  [[nodiscard]] std::int64_t max_depth() const noexcept { return max_depth_; }
  [[nodiscard]] std::int64_t max_volume() const noexcept { return max_volume_; }
  [[nodiscard]] std::string repr() const;

  /// `volume_exceeded`, then `non_finite` naming label and position.
  void guard_tensor(std::string_view label, const Tensor& tensor) const;
  /// depth ≥ max_depth → `depth_exceeded`.
  void guard_depth(std::int64_t depth) const;
  /// value cut to [−s, s]; NaN → `non_finite`.
  [[nodiscard]] double saturate_scalar(double value) const;
  /// Elementwise in place, after the checks of volume and NaN.
  void saturate_tensor(Tensor& tensor) const;
  /// The same on a copy.
  [[nodiscard]] Tensor rewrite(std::string_view label, const Tensor& tensor) const;

 private:
  void check(std::string_view op, std::string_view label, const Tensor& tensor,
             bool nan_only) const;
  double curvature_;
  double tolerance_;
  double saturation_;
  std::int64_t max_depth_;
  std::int64_t max_volume_;
};

}  // namespace spiraltorch
