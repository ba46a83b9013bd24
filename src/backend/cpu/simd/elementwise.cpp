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

struct Add {
  static V apply(D, V a, V b, const float*) { return hn::Add(a, b); }
};
struct Sub {
  static V apply(D, V a, V b, const float*) { return hn::Sub(a, b); }
};
struct Mul {
  static V apply(D, V a, V b, const float*) { return hn::Mul(a, b); }
};
struct Div {
  static V apply(D, V a, V b, const float*) { return hn::Div(a, b); }
};
struct AddScaled {
  static V apply(D d, V a, V b, const float* p) { return hn::MulAdd(hn::Set(d, p[0]), b, a); }
};
struct AbsGrad {
  static V apply(D d, V x, V g, const float*) {
    const V zero = hn::Zero(d);
    const V signed_g = hn::IfThenElse(hn::Lt(x, zero), hn::Neg(g), g);
    return hn::IfThenElse(hn::Eq(x, zero), zero, signed_g);
  }
};
struct ReluGrad {
  static V apply(D d, V x, V g, const float*) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), g);
  }
};
struct TanhGrad {
  static V apply(D d, V y, V g, const float*) {
    return hn::Mul(g, hn::NegMulAdd(y, y, hn::Set(d, 1.0F)));
  }
};
struct SigmoidGrad {
  static V apply(D, V y, V g, const float*) { return hn::Mul(g, hn::NegMulAdd(y, y, y)); }
};
struct ClampGrad {
  static V apply(D d, V x, V g, const float* p) {
    const auto inside = hn::And(hn::Ge(x, hn::Set(d, p[0])), hn::Le(x, hn::Set(d, p[1])));
    return hn::IfThenElseZero(inside, g);
  }
};

struct Neg {
  static V apply(D, V x, const float*) { return hn::Neg(x); }
};
struct Abs {
  static V apply(D, V x, const float*) { return hn::Abs(x); }
};
struct Exp {
  static V apply(D d, V x, const float*) { return safe_exp(d, x); }
};
struct Log {
  static V apply(D d, V x, const float*) { return safe_log(d, x); }
};
struct Tanh {
  static V apply(D d, V x, const float*) { return safe_tanh(d, x); }
};
struct Sigmoid {
  static V apply(D d, V x, const float*) {
    const V one = hn::Set(d, 1.0F);
    return hn::Div(one, hn::Add(one, safe_exp(d, hn::Neg(x))));
  }
};
struct Relu {  // a NaN stays: it is not below zero
  static V apply(D d, V x, const float*) {
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
  }
};
struct Sqrt {
  static V apply(D, V x, const float*) { return hn::Sqrt(x); }
};
struct Clamp {
  static V apply(D d, V x, const float* p) {
    const V lo = hn::Set(d, p[0]);
    const V hi = hn::Set(d, p[1]);
    const V low_done = hn::IfThenElse(hn::Lt(x, lo), lo, x);
    return hn::IfThenElse(hn::Gt(low_done, hi), hi, low_done);
  }
};
struct Square {
  static V apply(D, V x, const float*) { return hn::Mul(x, x); }
};

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
  if constexpr (requires { Op::apply(d, V(), run.params); }) {
    hn::Store(Op::apply(d, hn::Load(d, a), run.params), d, a);
  } else {
    hn::Store(Op::apply(d, hn::Load(d, a), hn::Load(d, b), run.params), d, a);
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
      hn::Stream(Op::apply(d, hn::LoadU(d, run.a + i), run.params), d, run.out + i);
    }
  } else {
    for (; i + lanes <= run.n; i += lanes) {
      hn::StoreU(Op::apply(d, hn::LoadU(d, run.a + i), run.params), d, run.out + i);
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
      hn::Stream(Op::apply(d, load_a(i), load_b(i), run.params), d, run.out + i);
    }
  } else {
    for (; i + lanes <= run.n; i += lanes) {
      hn::StoreU(Op::apply(d, load_a(i), load_b(i), run.params), d, run.out + i);
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

constexpr ElementwiseTable kTable{
    {binary<Add>, binary<Sub>, binary<Mul>, binary<Div>, binary<AddScaled>, binary<AbsGrad>,
     binary<ReluGrad>, binary<TanhGrad>, binary<SigmoidGrad>, binary<ClampGrad>},
    {unary<Neg>, unary<Abs>, unary<Exp>, unary<Log>, unary<Tanh>, unary<Sigmoid>, unary<Relu>,
     unary<Sqrt>, unary<Clamp>, unary<Square>}};

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
