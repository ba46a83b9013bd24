#pragma once

#include <string>
#include <variant>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch {

/// Flat space.
struct Euclidean {
  friend bool operator==(const Euclidean&, const Euclidean&) = default;
};

/// Where the rows of a parameter live.
using Manifold = std::variant<Euclidean, PoincareBall>;

/// 0 for flat space.
[[nodiscard]] SPIRALTORCH_API double curvature_of(const Manifold& manifold) noexcept;
/// "Euclidean()", "PoincareBall(curvature=-1)".
[[nodiscard]] SPIRALTORCH_API std::string to_text(const Manifold& manifold);

}  // namespace spiraltorch
