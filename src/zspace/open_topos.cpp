#include "spiraltorch/zspace/open_topos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "zspace/checks.hpp"

namespace spiraltorch {
namespace {

void check_at_least_one(std::string_view what, std::int64_t value) {
  if (value >= 1) return;
  fail(Errc::invalid_value, "OpenTopos", text(what, ": got ", value, ", expected >= 1"));
}

// A bound beyond float32 is its largest number: infinities are cut all the same.
Tensor cut(const Tensor& tensor, double saturation) {
  const double bound = std::min<double>(saturation, std::numeric_limits<float>::max());
  return zspace::constant(tensor).clamp(-bound, bound);
}

}  // namespace

bool curvatures_match(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

OpenTopos::OpenTopos(double curvature, double tolerance, double saturation, std::int64_t max_depth,
                     std::int64_t max_volume)
    : curvature_(curvature),
      tolerance_(tolerance),
      saturation_(saturation),
      max_depth_(max_depth),
      max_volume_(max_volume) {
  check_curvature("OpenTopos", curvature);
  zspace::check_positive("OpenTopos", "tolerance", tolerance);
  zspace::check_positive("OpenTopos", "saturation", saturation);
  check_at_least_one("max_depth", max_depth);
  check_at_least_one("max_volume", max_volume);
}

std::string OpenTopos::repr() const {
  return text("OpenTopos(curvature=", curvature_, ", tolerance=", tolerance_,
              ", saturation=", saturation_, ", max_depth=", max_depth_,
              ", max_volume=", max_volume_, ")");
}

void OpenTopos::check(std::string_view op, std::string_view label, const Tensor& tensor,
                      bool nan_only) const {
  if (tensor.size() > max_volume_) {
    fail(Errc::volume_exceeded, op,
         text("'", label, "': got ", tensor.size(), " entries, expected at most ", max_volume_));
  }
  const std::int64_t position = ops::first_non_finite(tensor, nan_only);
  if (position >= 0) zspace::fail_non_finite(op, text("'", label, "'"), tensor, position);
}

void OpenTopos::guard_tensor(std::string_view label, const Tensor& tensor) const {
  check("guard_tensor", label, tensor, false);
}

void OpenTopos::guard_depth(std::int64_t depth) const {
  if (depth < max_depth_) return;
  fail(Errc::depth_exceeded, "guard_depth",
       text("depth: got ", depth, ", expected less than ", max_depth_));
}

double OpenTopos::saturate_scalar(double value) const {
  if (std::isnan(value)) {
    fail(Errc::non_finite, "saturate_scalar", "value: got nan, expected a number");
  }
  return std::clamp(value, -saturation_, saturation_);
}

void OpenTopos::saturate_tensor(Tensor& tensor) const {
  check("saturate_tensor", "tensor", tensor, true);
  tensor.copy_(cut(tensor, saturation_));
}

Tensor OpenTopos::rewrite(std::string_view label, const Tensor& tensor) const {
  check("rewrite", label, tensor, true);
  return cut(tensor, saturation_);
}

}  // namespace spiraltorch
