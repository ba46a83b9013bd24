// Highway's polynomials with IEEE's edge cases: NaN stays NaN, overflow is infinite, log(0) = -inf.
// Highway's own functions leave those cases open. Per-target include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_MATH_INL
#undef SPIRALTORCH_SIMD_MATH_INL
#else
#define SPIRALTORCH_SIMD_MATH_INL
#endif

#include <limits>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

template <class D, class V>
HWY_INLINE V safe_exp(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<D>;
  // Above this the result is infinite anyway; the cap keeps the exponent arithmetic in range.
  const V cap = hn::Set(d, sizeof(T) == 4 ? T(89) : T(710));
  const V y = hn::Exp(d, hn::Min(x, cap));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V safe_log(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<D>;
  const V zero = hn::Zero(d);
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  const V nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  V y = hn::Log(d, x);
  y = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), y);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Lt(x, zero), nan, y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V safe_tanh(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<D>;
  // tanh is 1 to rounding beyond these.
  const V cap = hn::Set(d, sizeof(T) == 4 ? T(10) : T(20));
  const V y = hn::Tanh(d, hn::Max(hn::Min(x, cap), hn::Neg(cap)));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
