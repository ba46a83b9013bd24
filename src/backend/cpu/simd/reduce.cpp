#include "backend/cpu/simd/reduce.hpp"

#include <algorithm>
#include <limits>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/reduce.cpp"
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
#if HWY_TARGET == HWY_SCALAR
using Wide = hn::ScalableTag<double>;
#else
using Wide = hn::Repartition<double, D>;
#endif
using W = hn::Vec<Wide>;

// The double halves of a float vector are read as two half vectors: no shuffles needed.
using Half = hn::Rebind<float, Wide>;

HWY_INLINE W widen(const float* x) { return hn::PromoteTo(Wide(), hn::LoadU(Half(), x)); }

// Sum of f over the run in double: four accumulators, then the rest one by one.
template <class F, class G>
HWY_INLINE double accumulate(std::int64_t n, F f, G rest) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  W s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, f(i));
    s1 = hn::Add(s1, f(i + lanes));
    s2 = hn::Add(s2, f(i + 2 * lanes));
    s3 = hn::Add(s3, f(i + 3 * lanes));
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < n; ++i) sum += rest(i);
  return sum;
}

struct Value {
  const float* x;
  HWY_INLINE W operator()(std::int64_t i) const { return widen(x + i); }
};
struct Square {
  const float* x;
  HWY_INLINE W operator()(std::int64_t i) const {
    const W v = widen(x + i);
    return hn::Mul(v, v);
  }
};
struct Product {
  const float* x;
  const float* y;
  HWY_INLINE W operator()(std::int64_t i) const { return hn::Mul(widen(x + i), widen(y + i)); }
};

double sum(const float* x, std::int64_t n) {
  return accumulate(n, Value{x}, [x](std::int64_t i) { return static_cast<double>(x[i]); });
}

double sum_squares(const float* x, std::int64_t n) {
  return accumulate(n, Square{x}, [x](std::int64_t i) {
    const double v = x[i];
    return v * v;
  });
}

double dot(const float* x, const float* y, std::int64_t n) {
  return accumulate(n, Product{x, y}, [x, y](std::int64_t i) {
    return static_cast<double>(x[i]) * static_cast<double>(y[i]);
  });
}

// Keeps a NaN once seen: nothing is greater than it, and it replaces everything.
HWY_INLINE V larger(V best, V x) {
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Gt(x, best)), x, best);
}

float max(const float* x, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
  V m0 = lowest, m1 = lowest;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    m0 = larger(m0, hn::LoadU(d, x + i));
    m1 = larger(m1, hn::LoadU(d, x + i + lanes));
  }
  HWY_ALIGN float best[2 * hn::MaxLanes(D())];
  hn::Store(m0, d, best);
  hn::Store(m1, d, best + lanes);
  float out = best[0];
  const auto keep = [&out](float v) {
    if (v != v || v > out) out = v;
  };
  for (std::int64_t k = 1; k < 2 * lanes && out == out; ++k) keep(best[k]);
  for (; i < n && out == out; ++i) keep(x[i]);
  return out;
}

float min(const float* x, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V m = hn::Set(d, -std::numeric_limits<float>::infinity());  // of the negated elements
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) m = larger(m, hn::Neg(hn::LoadU(d, x + i)));
  HWY_ALIGN float best[hn::MaxLanes(D())];
  hn::Store(m, d, best);
  float out = -best[0];
  const auto keep = [&out](float v) {
    if (v != v || v < out) out = v;
  };
  for (std::int64_t k = 1; k < lanes && out == out; ++k) keep(-best[k]);
  for (; i < n && out == out; ++i) keep(x[i]);
  return out;
}

// sums[j] ← f(x[j], sums[j]), vectors first, then one by one.
template <class F, class G>
HWY_INLINE void add_each(std::int64_t n, double* sums, const float* x, F f, G rest) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(f(widen(x + i), hn::LoadU(d, sums + i)), d, sums + i);
  }
  for (; i < n; ++i) sums[i] += rest(static_cast<double>(x[i]));
}

// `vectors` sums stay in registers along the rows.
template <std::int64_t vectors>
HWY_INLINE void add_band(const float* x, std::int64_t rows, std::int64_t stride, double* sums) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  W s[vectors];
  for (std::int64_t v = 0; v < vectors; ++v) s[v] = hn::LoadU(d, sums + v * lanes);
  for (std::int64_t i = 0; i < rows; ++i, x += stride) {
    for (std::int64_t v = 0; v < vectors; ++v) s[v] = hn::Add(s[v], widen(x + v * lanes));
  }
  for (std::int64_t v = 0; v < vectors; ++v) hn::StoreU(s[v], d, sums + v * lanes);
}

void add_rows_to(const float* x, std::int64_t rows, std::int64_t stride, double* sums,
                 std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Wide()));
  std::int64_t j = 0;
  for (; j + 4 * lanes <= n; j += 4 * lanes) add_band<4>(x + j, rows, stride, sums + j);
  for (; j + lanes <= n; j += lanes) add_band<1>(x + j, rows, stride, sums + j);
  for (std::int64_t i = 0; i < rows; ++i, x += stride) {
    for (std::int64_t k = j; k < n; ++k) sums[k] += static_cast<double>(x[k]);
  }
}

void add_squares_to(const float* x, double* sums, std::int64_t n) {
  add_each(
      n, sums, x, [](W v, W s) HWY_ATTR { return hn::Add(s, hn::Mul(v, v)); },
      [](double v) { return v * v; });
}

void add_weighted_to(const float* x, double w, double* sums, std::int64_t n) {
  const W weight = hn::Set(Wide(), w);
  add_each(
      n, sums, x, [weight](W v, W s) HWY_ATTR { return hn::Add(s, hn::Mul(weight, v)); },
      [w](double v) { return w * v; });
}

// exp of a block at a time: the block's results are then summed in double from the cache.
constexpr std::int64_t kBlock = 512;

void exp_block(const float* x, float shift, float* out, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V s = hn::Set(d, shift);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(safe_exp(d, hn::Sub(hn::LoadU(d, x + i), s)), d, out + i);
  }
  if (i == n) return;
  HWY_ALIGN float rest[hn::MaxLanes(D())] = {};
  std::copy(x + i, x + n, rest);
  hn::Store(safe_exp(d, hn::Sub(hn::Load(d, rest), s)), d, rest);
  std::copy(rest, rest + (n - i), out + i);
}

double exp_shifted(const float* x, float shift, float* out, std::int64_t n) {
  double total = 0.0;
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int64_t count = std::min(kBlock, n - i);
    exp_block(x + i, shift, out + i, count);
    total += sum(out + i, count);
  }
  return total;
}

double sum_exp_shifted(const float* x, float shift, std::int64_t n) {
  HWY_ALIGN float block[kBlock];
  double total = 0.0;
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int64_t count = std::min(kBlock, n - i);
    exp_block(x + i, shift, block, count);
    total += sum(block, count);
  }
  return total;
}

void scale(float* x, float factor, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V f = hn::Set(d, factor);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), f), d, x + i);
  for (; i < n; ++i) x[i] *= factor;
}

}  // namespace
const ReduceTable kReduce{
    sum,         sum_squares,     max, min,  add_rows_to, add_squares_to, add_weighted_to,
    exp_shifted, sum_exp_shifted, dot, scale};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const ReduceTable& reduce_table() {
  static const SimdVersion<ReduceTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kReduce
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<ReduceTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
