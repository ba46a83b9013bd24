#pragma once

#include <cstdint>

namespace spiraltorch {

/// Largest element count of one tensor (spec 1, section 1).
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

/// Admissible |curvature|.
inline constexpr double kMinKappa = 1e-12;
inline constexpr double kMaxKappa = 1e12;

/// Every ball point keeps sqrt(kappa)·|x| <= kBallMax: at this radius one float32 step of a
/// coordinate already moves the point by about 3e-3/sqrt(kappa).
inline constexpr double kBallMax = 1.0 - 1e-5;
/// Slack of `project`, so that a clamped row, rounded to float32, is left alone: idempotent.
inline constexpr double kBallSlack = 1.0 + 0x1p-20;
/// Beyond this sqrt(kappa)·|x| a row is Euclidean data, not a boundary point with rounding error.
inline constexpr double kImportRadius = 1.0 + 1e-4;
/// Largest hyperbolic radius of a Lorentz point: beyond it cosh overflows float32.
inline constexpr double kLorentzMax = 40.0;

}  // namespace spiraltorch
