// Elementwise optimiser steps. Per-target include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_OPTIM_FLAT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_OPTIM_FLAT_INL
#undef SPIRALTORCH_SIMD_OPTIM_FLAT_INL
#else
#define SPIRALTORCH_SIMD_OPTIM_FLAT_INL
#endif

#include <algorithm>

#include "backend/cpu/simd/ball_math-inl.hpp"
#include "backend/cpu/simd/optim.hpp"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

// A vector of doubles with the operators of arithmetic.
struct Wides {
  W v;
  HWY_INLINE Wides(W x) : v(x) {}
  HWY_INLINE Wides(double x) : v(set(x)) {}
};
HWY_INLINE Wides operator+(Wides a, Wides b) { return hn::Add(a.v, b.v); }
HWY_INLINE Wides operator-(Wides a, Wides b) { return hn::Sub(a.v, b.v); }
HWY_INLINE Wides operator*(Wides a, Wides b) { return hn::Mul(a.v, b.v); }
HWY_INLINE Wides operator/(Wides a, Wides b) { return hn::Div(a.v, b.v); }
// a·b + c.
HWY_INLINE Wides fused(Wides a, Wides b, Wides c) { return hn::MulAdd(a.v, b.v, c.v); }
HWY_INLINE Wides root_of(Wides a) { return hn::Sqrt(a.v); }
HWY_INLINE Wides larger(Wides a, Wides b) { return hn::Max(a.v, b.v); }

// As many floats as a vector of doubles has lanes, or fewer at the end of a run, which go through a
// small buffer so that every element sees the same instructions.
struct Lane {
  std::int64_t count;
  HWY_INLINE Wides load(const float* from) const {
    if (count == kWideLanes) return load_wide(from);
    HWY_ALIGN float few[kWideLanes] = {};
    std::copy(from, from + count, few);
    return load_wide(few);
  }
  HWY_INLINE void store(Wides value, float* to) const {
    const auto narrow = hn::DemoteTo(Narrow(), value.v);
    if (count == kWideLanes) return hn::StoreU(narrow, Narrow(), to);
    HWY_ALIGN float few[kWideLanes];
    hn::StoreU(narrow, Narrow(), few);
    std::copy(few, few + count, to);
  }
};

// w − η·d, or w itself where d is 0: not even the sign of a zero changes.
HWY_INLINE Wides stepped(Wides w, double rate, Wides d) {
  const auto still = hn::Eq(d.v, hn::Zero(Wide()));
  return hn::IfThenElse(still, w.v, (w - Wides(rate) * d).v);
}

HWY_INLINE void flat_sgd(const OptimRule& k, const OptimRows& x, std::int64_t i, Lane lane) {
  const Wides w = lane.load(x.w + i);
  Wides h = lane.load(x.g + i);
  if (k.decay != 0.0) h = h + Wides(k.decay) * w;
  Wides d = h;
  if (x.first != nullptr) {
    const Wides m = Wides(k.beta1) * lane.load(x.first + i) + h;
    lane.store(m, x.first + i);
    d = k.nesterov ? h + Wides(k.beta1) * m : m;
  }
  lane.store(stepped(w, k.rate, d), x.w + i);
}

HWY_INLINE void flat_adam(const OptimRule& k, const OptimRows& x, std::int64_t i, Lane lane) {
  Wides w = lane.load(x.w + i);
  Wides h = lane.load(x.g + i);
  if (k.decay != 0.0) {
    if (k.decoupled) {
      w = Wides(1.0 - k.rate * k.decay) * w;
    } else {
      h = h + Wides(k.decay) * w;
    }
  }
  const Wides m = Wides(k.beta1) * lane.load(x.first + i) + Wides(1.0 - k.beta1) * h;
  Wides u = Wides(k.beta2) * lane.load(x.second + i) + Wides(1.0 - k.beta2) * (h * h);
  lane.store(m, x.first + i);
  lane.store(u, x.second + i);
  if (x.most != nullptr) {
    u = larger(u, lane.load(x.most + i));
    lane.store(u, x.most + i);
  }
  const Wides below =
      Wides(k.correction1) * (root_of(u * Wides(1.0 / k.correction2)) + Wides(k.eps));
  lane.store(stepped(w, k.rate, m / below), x.w + i);
}

template <class Step>
HWY_INLINE void flat_run(std::int64_t n, Step step) {
  std::int64_t i = 0;
  for (; i + kWideLanes <= n; i += kWideLanes) step(i, Lane{kWideLanes});
  if (i < n) step(i, Lane{n - i});
}

inline void flat_rows(const OptimRule& rule, const OptimRows& rows) {
  const std::int64_t n = rows.count * rows.cols;
  if (rule.adam) {
    flat_run(n, [&](std::int64_t i, Lane lane) HWY_ATTR { flat_adam(rule, rows, i, lane); });
  } else {
    flat_run(n, [&](std::int64_t i, Lane lane) HWY_ATTR { flat_sgd(rule, rows, i, lane); });
  }
}

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
