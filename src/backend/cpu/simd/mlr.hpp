#pragma once

#include <cstdint>

// Signed distances of points of the Poincaré ball to hyperplanes, and their gradients, in double,
// a version per instruction set. With y the point in the ball, n = κ|y|², λ = 2/(1−n),
// T = λ−1, A = √κλ⟨y, ẑ⟩ and s = 2√κr a logit is (2|z|/√κ)·asinh u, u = A·cosh s − T·sinh s. For
// s >= 1 (r < 0 is the mirrored case) u = −½eˢq with q = (T−A) − (T+A)e^(−2s), so that neither
// u/√(1+u²) nor its like sees a power that overflows.
namespace spiraltorch::cpu {

inline constexpr std::int64_t kMlrTile = 4;  // classes of one tile

/// A class: the length of its normal, and what follows from its offset.
struct MlrClass {
  double length = 0.0;
  double inverse = 0.0;  ///< 1/length, 0 for 0
  double sign = 1.0;     ///< of r
  double s = 0.0;        ///< 2√κ|r|
  double cosh = 1.0;     ///< of s < 1
  double sinh = 0.0;
  double decay = 1.0;       ///< e^(−2s)
  double half_power = 0.5;  ///< ½eˢ for s < kMlrFar
};

inline constexpr double kMlrNear = 1.0;
/// From here on q is positive: a point of the ball has (T+A)/(T−A) <= ((1+ρ)/(1−ρ))² < e²⁵.
inline constexpr double kMlrFar = 20.0;

/// `rows` rows of x against all classes.
struct MlrJob {
  const float* x;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t classes;
  /// Tiles of kMlrTile classes, the last one filled with zeros: [tile][column][class of the tile].
  const double* normals;
  const MlrClass* parameters;  ///< of all classes of all tiles
  double kappa;
};

/// Classes with those that fill the last tile.
[[nodiscard]] inline std::int64_t padded_classes(std::int64_t classes) {
  return (classes + kMlrTile - 1) / kMlrTile * kMlrTile;
}

struct MlrTable {
  /// out (rows, classes).
  void (*forward)(const MlrJob& job, float* out);
  /// by_x (rows, cols), and added to `sums`, of p = padded_classes: (p, cols) Σ gCλ√κy,
  /// (1, p) Σ g(asinh u − CA), (1, p) Σ gR, where C = ∂asinh u/∂A and R = ∂asinh u/∂s. Either may
  /// be null.
  void (*backward)(const MlrJob& job, const float* g, float* by_x, double* sums);
};

[[nodiscard]] const MlrTable& mlr_table();

}  // namespace spiraltorch::cpu
