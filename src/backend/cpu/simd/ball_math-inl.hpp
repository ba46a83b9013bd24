// Scalar functions of ball operations, a vector of rows at a time in double. Per-target include
// guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_BALL_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_BALL_MATH_INL
#undef SPIRALTORCH_SIMD_BALL_MATH_INL
#else
#define SPIRALTORCH_SIMD_BALL_MATH_INL
#endif

#include <limits>

#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/math-inl.hpp"
#include "spiraltorch/base/limits.hpp"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

HWY_INLINE W set(double v) { return hn::Set(Wide(), v); }

// f(s)/s with the limit where s = 0.
HWY_INLINE W ratio(W f, W s, W limit) {
  const auto zero = hn::Eq(s, hn::Zero(Wide()));
  return hn::IfThenElse(zero, limit, hn::Div(f, hn::IfThenElse(zero, set(1.0), s)));
}

HWY_INLINE W tanh_of(W s) { return safe_tanh(Wide(), s); }

// artanh s = ½ log1p(2s/(1−s)), exact near 0 and, since 1−s is exact there, near 1.
HWY_INLINE W artanh_of(W s) {
  const W x = hn::Div(hn::Add(s, s), hn::Sub(set(1.0), s));
  return hn::Mul(set(0.5), hn::Log1p(Wide(), x));
}

// asinh q = log1p(q + q²/(1 + √(1+q²))) for q >= 0.
HWY_INLINE W asinh_of(W q) {
  const W root = hn::Sqrt(hn::MulAdd(q, q, set(1.0)));
  const W x = hn::MulAdd(q, hn::Div(q, hn::Add(set(1.0), root)), q);
  return hn::Log1p(Wide(), x);
}

// The factor that brings a row of scaled norm s = √κ|x| back to the ball: 1 for a row inside.
HWY_INLINE W clamp_factor(W s) {
  const auto outside = hn::Gt(s, set(kBallMax * kBallSlack));
  const W one = set(1.0);
  if (hn::AllFalse(Wide(), outside)) return one;  // nearly always: saves a division
  return hn::IfThenElse(outside, hn::Div(set(kBallMax), hn::IfThenElse(outside, s, one)), one);
}

HWY_INLINE W nan_where_not_finite(W value, W squares) {
  const auto finite = hn::Lt(squares, set(std::numeric_limits<double>::infinity()));
  return hn::IfThenElse(finite, value, set(std::numeric_limits<double>::quiet_NaN()));
}

/// x ⊕ y = αx + βy from |x|², |y|², |x+y|²; every sum below is of positive terms:
/// D = κ|x+y|² + (1−κ|x|²)(1−κ|y|²), α = (κ|x+y|² + 1−κ|x|²)/D, β = (1−κ|x|²)/D,
/// |x⊕y|² = |x+y|²/D.
struct Sum {
  W alpha, beta, norm_squared;
};
HWY_INLINE Sum mobius_sum(W kappa, W xx, W yy, W ss) {
  const W one = set(1.0);
  const W cx = hn::NegMulAdd(kappa, xx, one);
  const W cy = hn::NegMulAdd(kappa, yy, one);
  const W d = hn::MulAdd(kappa, ss, hn::Mul(cx, cy));
  const W numerator = hn::MulAdd(kappa, ss, cx);
  const W inverse = hn::Div(one, d);
  // Exactly 1 where y is 0: numerator and d are then the same number.
  const W alpha = hn::IfThenElse(hn::Eq(numerator, d), one, hn::Mul(numerator, inverse));
  return {alpha, hn::Mul(cx, inverse), hn::Mul(ss, inverse)};
}

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
