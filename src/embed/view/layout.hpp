#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace spiraltorch::detail {

// Where a view places its nodes.
struct ViewLayout {
  // (nodes, 2): tangent vectors at the disk's origin (direction, hyperbolic distance), curvature
  // −1. Near the rim they keep what coordinates in float32 would lose.
  std::vector<float> tangents;
  std::array<double, 2> home{};  // the point looked at first, as such a vector
  bool projected = false;        // whether the angles are a projection's
};

// Points of the unit ball, (nodes, dim), seen from one of them or from the origin.
[[nodiscard]] ViewLayout view_layout(std::span<const float> points, std::size_t dim,
                                     std::optional<std::size_t> centre);

}  // namespace spiraltorch::detail
