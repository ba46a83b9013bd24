#include "spiraltorch/geometry/manifold.hpp"

namespace spiraltorch {

double curvature_of(const Manifold& manifold) noexcept {
  const auto* ball = std::get_if<PoincareBall>(&manifold);
  return ball == nullptr ? 0.0 : ball->curvature();
}

std::string to_text(const Manifold& manifold) {
  const auto* ball = std::get_if<PoincareBall>(&manifold);
  return ball == nullptr ? "Euclidean()" : ball->repr();
}

}  // namespace spiraltorch
