#include "backend/cpu/simd/elementwise.hpp"

#include <limits>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/elementwise.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A vector and what an expression of the shared table may do with it.
struct Lanes {
  V v;
  HWY_INLINE Lanes(V x) : v(x) {}
  HWY_INLINE Lanes(double x) : v(hn::Set(D(), static_cast<float>(x))) {}
};
using Where = hn::Mask<D>;
HWY_INLINE Lanes operator+(Lanes a, Lanes b) { return hn::Add(a.v, b.v); }
HWY_INLINE Lanes operator-(Lanes a, Lanes b) { return hn::Sub(a.v, b.v); }
HWY_INLINE Lanes operator*(Lanes a, Lanes b) { return hn::Mul(a.v, b.v); }
HWY_INLINE Lanes operator/(Lanes a, Lanes b) { return hn::Div(a.v, b.v); }
HWY_INLINE Lanes operator-(Lanes a) { return hn::Neg(a.v); }
HWY_INLINE Where operator<(Lanes a, Lanes b) { return hn::Lt(a.v, b.v); }
HWY_INLINE Where operator>(Lanes a, Lanes b) { return hn::Gt(a.v, b.v); }
HWY_INLINE Where operator<=(Lanes a, Lanes b) { return hn::Le(a.v, b.v); }
HWY_INLINE Where operator>=(Lanes a, Lanes b) { return hn::Ge(a.v, b.v); }
HWY_INLINE Where operator==(Lanes a, Lanes b) { return hn::Eq(a.v, b.v); }
// A mask may be a builtin type, whose operators are its own: the table writes both(x, y).
HWY_INLINE Where both(Where a, Where b) { return hn::And(a, b); }
HWY_INLINE Lanes select(Lanes no, Lanes yes, Where where) {
  return hn::IfThenElse(where, yes.v, no.v);
}
HWY_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) { return hn::MulAdd(a.v, b.v, c.v); }
HWY_INLINE Lanes keep_nan(Lanes, Lanes b) { return b; }  // comparisons did already
HWY_INLINE Lanes st_div(Lanes a, Lanes b) { return hn::Div(a.v, b.v); }
HWY_INLINE Lanes st_abs(Lanes a) { return hn::Abs(a.v); }
HWY_INLINE Lanes st_exp(Lanes a) { return safe_exp(D(), a.v); }
HWY_INLINE Lanes st_log(Lanes a) { return safe_log(D(), a.v); }
HWY_INLINE Lanes st_tanh(Lanes a) { return safe_tanh(D(), a.v); }

// Φ from erfc(z) = t·exp(-z² + P(t)), t = 1/(1 + z/2), for z = |x|/√2 within 1.2e-7 relatively:
// Press et al., Numerical Recipes in C, 2nd ed., 6.2.
HWY_INLINE Lanes st_cdf(Lanes x) {
  const Lanes z = st_abs(x) * 0.7071067811865476;
  const Lanes t = Lanes(1.0) / fma(0.5, z, 1.0);
  Lanes p = fma(0.17087277, t, -0.82215223);
  for (const double c : {1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
                         1.00002368, -1.26551223}) {
    p = fma(p, t, c);
  }
  const Lanes half = t * st_exp(p - z * z) * 0.5;
  return select(1.0 - half, half, x < 0.0);
}
// σ(2u) = ½(1 + tanh u), u = √(2/π)(x + 0.044715x³), and the derivative of x·σ(2u): by e^−2|u|, in
// which neither 1 + tanh nor 1 − tanh² cancels.
HWY_INLINE Lanes st_gelu_share(Lanes x) {
  const Lanes u = 0.7978845608 * x * fma(0.044715 * x, x, 1.0);
  const Lanes e = st_exp(-2.0 * st_abs(u));
  return select(1.0, e, u < 0.0) / (1.0 + e);
}
HWY_INLINE Lanes st_gelu_tanh_slope(Lanes x) {
  const Lanes u = 0.7978845608 * x * fma(0.044715 * x, x, 1.0);
  const Lanes e = st_exp(-2.0 * st_abs(u));
  const Lanes rise = 1.5957691216 * x * fma(0.134145 * x, x, 1.0);
  const Lanes below = 1.0 / (1.0 + e);
  // Where e is 0 the rise may be infinite.
  const Lanes more = select(e * below * below * rise, 0.0, e == 0.0);
  return fma(select(1.0, e, u < 0.0), below, more);
}
HWY_INLINE Lanes st_sqrt(Lanes a) { return hn::Sqrt(a.v); }

namespace expression {
#define SPIRALTORCH_UNARY(name, ...)                               \
  struct name {                                                    \
    static HWY_INLINE V apply(V x, const float* p) {               \
      const Lanes a = x;                                           \
      [[maybe_unused]] const Lanes p0 = static_cast<double>(p[0]); \
      [[maybe_unused]] const Lanes p1 = static_cast<double>(p[1]); \
      return Lanes(__VA_ARGS__).v;                                 \
    }                                                              \
  };
#define SPIRALTORCH_BINARY(name, ...)                              \
  struct name {                                                    \
    static HWY_INLINE V apply(V x, V y, const float* p) {          \
      const Lanes a = x;                                           \
      const Lanes b = y;                                           \
      [[maybe_unused]] const Lanes p0 = static_cast<double>(p[0]); \
      [[maybe_unused]] const Lanes p1 = static_cast<double>(p[1]); \
      return Lanes(__VA_ARGS__).v;                                 \
    }                                                              \
  };
#include "backend/expressions.inc"
}  // namespace expression

// Elements past the last whole vector go through a small buffer, so that every element sees the
// same instructions wherever it stands.
template <class Op>
void tail(const Run& run, std::int64_t done) {
  const D d;
  HWY_ALIGN float a[hn::MaxLanes(D())] = {};
  HWY_ALIGN float b[hn::MaxLanes(D())] = {};
  const std::int64_t rest = run.n - done;
  for (std::int64_t i = 0; i < rest; ++i) {
    a[i] = run.a[(done + i) * run.a_step];
    if (run.b != nullptr) b[i] = run.b[(done + i) * run.b_step];
  }
  if constexpr (requires { Op::apply(V(), run.params); }) {
    hn::Store(Op::apply(hn::Load(d, a), run.params), d, a);
  } else {
    hn::Store(Op::apply(hn::Load(d, a), hn::Load(d, b), run.params), d, a);
  }
  for (std::int64_t i = 0; i < rest; ++i) run.out[done + i] = a[i];
}

template <class Op>
void unary(const Run& run) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  if (run.stream) {
    for (; i + lanes <= run.n; i += lanes) {
      hn::Stream(Op::apply(hn::LoadU(d, run.a + i), run.params), d, run.out + i);
    }
  } else {
    for (; i + lanes <= run.n; i += lanes) {
      hn::StoreU(Op::apply(hn::LoadU(d, run.a + i), run.params), d, run.out + i);
    }
  }
  if (i < run.n) tail<Op>(run, i);
}

template <class Op, class LoadA, class LoadB>
HWY_INLINE std::int64_t binary_loop(const Run& run, LoadA load_a, LoadB load_b) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  if (run.stream) {
    for (; i + lanes <= run.n; i += lanes) {
      hn::Stream(Op::apply(load_a(i), load_b(i), run.params), d, run.out + i);
    }
  } else {
    for (; i + lanes <= run.n; i += lanes) {
      hn::StoreU(Op::apply(load_a(i), load_b(i), run.params), d, run.out + i);
    }
  }
  return i;
}

struct LoadEach {
  const float* from;
  HWY_INLINE V operator()(std::int64_t i) const { return hn::LoadU(D(), from + i); }
};
struct LoadFirst {
  V value;
  HWY_INLINE V operator()(std::int64_t) const { return value; }
};

template <class Op>
void binary(const Run& run) {
  const D d;
  std::int64_t done = 0;
  if (run.a_step != 0 && run.b_step != 0) {
    done = binary_loop<Op>(run, LoadEach{run.a}, LoadEach{run.b});
  } else if (run.a_step != 0) {
    done = binary_loop<Op>(run, LoadEach{run.a}, LoadFirst{hn::Set(d, *run.b)});
  } else if (run.b_step != 0) {
    done = binary_loop<Op>(run, LoadFirst{hn::Set(d, *run.a)}, LoadEach{run.b});
  } else {
    done = binary_loop<Op>(run, LoadFirst{hn::Set(d, *run.a)}, LoadFirst{hn::Set(d, *run.b)});
  }
  if (done < run.n) tail<Op>(run, done);
}

constexpr ElementwiseTable kTable{{
#define SPIRALTORCH_UNARY(name, ...)
#define SPIRALTORCH_BINARY(name, ...) binary<expression::name>,
#include "backend/expressions.inc"
                                  },
                                  {
#define SPIRALTORCH_UNARY(name, ...) unary<expression::name>,
#define SPIRALTORCH_BINARY(name, ...)
#include "backend/expressions.inc"
                                  }};

}  // namespace
const ElementwiseTable kElementwise = kTable;
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const ElementwiseTable& elementwise_table() {
  static const SimdVersion<ElementwiseTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kElementwise
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<ElementwiseTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
