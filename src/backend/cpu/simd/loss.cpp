#include "backend/cpu/simd/loss.hpp"

#include <algorithm>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/loss.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_SCALAR
using Wide = hn::ScalableTag<double>;
#else
using Wide = hn::Repartition<double, hn::ScalableTag<float>>;
#endif
using W = hn::Vec<Wide>;
using Half = hn::Rebind<float, Wide>;
constexpr std::int64_t kLanes = hn::MaxLanes(Wide());

HWY_INLINE W widen(const float* x) { return hn::PromoteTo(Wide(), hn::LoadU(Half(), x)); }
HWY_INLINE void narrow(W v, float* out) { hn::StoreU(hn::DemoteTo(Half(), v), Half(), out); }

struct Evaluated {
  W term;
  W slope;
};

// Σ of f's terms, its slopes times `factor` to g. The last, partial vector goes through copies.
template <class F>
HWY_INLINE double run(const float* p, const float* t, std::int64_t n, double factor, float* g,
                      F f) {
  const Wide d;
  const W scale = hn::Set(d, factor);
  W sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Evaluated at = f(widen(p + i), widen(t + i));
    sum = hn::Add(sum, at.term);
    if (g != nullptr) narrow(hn::Mul(scale, at.slope), g + i);
  }
  double total = hn::GetLane(hn::SumOfLanes(d, sum));
  if (i == n) return total;
  HWY_ALIGN float rest_p[kLanes] = {};
  HWY_ALIGN float rest_t[kLanes] = {};
  HWY_ALIGN float rest_g[kLanes];
  HWY_ALIGN double terms[kLanes];
  std::copy(p + i, p + n, rest_p);
  std::copy(t + i, t + n, rest_t);
  const Evaluated at = f(widen(rest_p), widen(rest_t));
  hn::Store(at.term, d, terms);
  narrow(hn::Mul(scale, at.slope), rest_g);
  for (std::int64_t k = 0; k < n - i; ++k) total += terms[k];
  if (g != nullptr) std::copy(rest_g, rest_g + (n - i), g + i);
  return total;
}

struct Squared {
  HWY_INLINE Evaluated operator()(W p, W t) const {
    const W difference = hn::Sub(p, t);
    return {hn::Mul(difference, difference), difference};
  }
};

double squared_error(const float* p, const float* t, std::int64_t n, double factor, float* g) {
  return run(p, t, n, factor, g, Squared());
}

// softplus(z) − τz as log1p(e^−|z|) + (1−τ)max(z, 0) + τ·max(−z, 0): terms that are not negative
// and so do not cancel.
struct Logistic {
  const LogisticTerms& terms;
  HWY_INLINE Evaluated operator()(W p, W t) const {
    const Wide d;
    const W zero = hn::Zero(d);
    const W one = hn::Set(d, 1.0);
    const W z = hn::MulAdd(hn::Set(d, terms.slope), p, hn::Set(d, terms.shift));
    W tau = hn::IfThenElse(hn::Lt(t, hn::Set(d, terms.low)), hn::Set(d, terms.low), t);
    tau = hn::IfThenElse(hn::Gt(tau, hn::Set(d, terms.high)), hn::Set(d, terms.high), tau);
    const W e = safe_exp(d, hn::Neg(hn::Abs(z)));
    const W right = hn::Mul(hn::Sub(one, tau), hn::Max(z, zero));
    const W left = hn::Mul(tau, hn::Max(hn::Neg(z), zero));
    const W term = hn::Add(hn::Log1p(d, e), hn::Add(right, left));
    const W sigma = hn::Div(hn::IfThenElse(hn::Lt(z, zero), e, one), hn::Add(one, e));
    const auto lost = hn::IsNaN(z);
    return {hn::IfThenElse(lost, z, term), hn::IfThenElse(lost, z, hn::Sub(sigma, tau))};
  }
};

double logistic(const float* p, const float* t, std::int64_t n, const LogisticTerms& terms,
                double factor, float* g) {
  return run(p, t, n, factor, g, Logistic{terms});
}

double exp_shifted(const float* x, double shift, double* out, std::int64_t n) {
  const Wide d;
  const W s = hn::Set(d, shift);
  W sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const W e = safe_exp(d, hn::Sub(widen(x + i), s));
    hn::StoreU(e, d, out + i);
    sum = hn::Add(sum, e);
  }
  double total = hn::GetLane(hn::SumOfLanes(d, sum));
  if (i == n) return total;
  HWY_ALIGN float rest[kLanes] = {};
  HWY_ALIGN double powers[kLanes];
  std::copy(x + i, x + n, rest);
  hn::Store(safe_exp(d, hn::Sub(widen(rest), s)), d, powers);
  for (std::int64_t k = 0; k < n - i; ++k) total += out[i + k] = powers[k];
  return total;
}

void softmax_less_target(const double* e, double factor, const float* t, double scale,
                         std::int64_t n, float* g) {
  const Wide d;
  const W f = hn::Set(d, factor);
  const W s = hn::Set(d, scale);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const W less = t == nullptr ? hn::Zero(d) : hn::Mul(s, widen(t + i));
    narrow(hn::MulSub(f, hn::LoadU(d, e + i), less), g + i);
  }
  for (; i < n; ++i) {
    const double less = t == nullptr ? 0.0 : scale * static_cast<double>(t[i]);
    g[i] = static_cast<float>(factor * e[i] - less);
  }
}

}  // namespace
const LossTable kLoss{squared_error, logistic, exp_shifted, softmax_less_target};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const LossTable& loss_table() {
  static const SimdVersion<LossTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kLoss
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<LossTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
