#include "backend/cpu/simd/norm.hpp"

#include <cmath>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/norm.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's header follows foreach_target, which sets its target.
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
using One = hn::CappedTag<double, 1>;

// Calls f(d, i) for whole vectors, then for single elements.
template <class F>
HWY_INLINE void each(std::int64_t n, F f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Wide()));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(Wide(), i);
  for (; i < n; ++i) f(One(), i);
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* x) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), x));
}
template <class D, class V>
HWY_INLINE void store(D, V v, float* x) {
  const hn::Rebind<float, D> half;
  hn::StoreU(hn::DemoteTo(half, v), half, x);
}
template <class D>
HWY_INLINE hn::Vec<D> unit(D d, const float* x, RowMoments m) {
  return hn::Mul(hn::Sub(load(d, x), hn::Set(d, m.mean)), hn::Set(d, m.inverse));
}
template <class D>
HWY_INLINE hn::Vec<D> weighted(D d, const float* g, const float* w, std::int64_t i) {
  return w == nullptr ? load(d, g + i) : hn::Mul(load(d, g + i), load(d, w + i));
}

// Σ f(d, i).
template <class F>
HWY_INLINE double total(std::int64_t n, F f) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::Add(sum, f(d, i));
  double out = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) out += hn::GetLane(f(One(), i));
  return out;
}

RowMoments moments(const float* x, std::int64_t n, double eps) {
  const auto count = static_cast<double>(n);
  const double mean =
      total(n, [x](auto d, std::int64_t i) HWY_ATTR { return load(d, x + i); }) / count;
  const double spread = total(n, [x, mean](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::Sub(load(d, x + i), hn::Set(d, mean));
    return hn::Mul(v, v);
  });
  return {mean, 1.0 / std::sqrt(spread / count + eps)};
}

void apply(const float* x, const float* w, const float* b, std::int64_t n, RowMoments m, float* y) {
  each(n, [=](auto d, std::int64_t i) HWY_ATTR {
    auto v = unit(d, x + i, m);
    if (w != nullptr) v = hn::Mul(v, load(d, w + i));
    if (b != nullptr) v = hn::Add(v, load(d, b + i));
    store(d, v, y + i);
  });
}

void gradient(const float* x, const float* g, const float* w, std::int64_t n, RowMoments m,
              float* out) {
  const auto count = static_cast<double>(n);
  const double mean =
      total(n, [=](auto d, std::int64_t i) HWY_ATTR { return weighted(d, g, w, i); }) / count;
  const double along =
      total(n, [=](auto d, std::int64_t i)
                   HWY_ATTR { return hn::Mul(weighted(d, g, w, i), unit(d, x + i, m)); }) /
      count;
  each(n, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto h = hn::Sub(weighted(d, g, w, i), hn::Set(d, mean));
    const auto less = hn::Mul(unit(d, x + i, m), hn::Set(d, along));
    store(d, hn::Mul(hn::Sub(h, less), hn::Set(d, m.inverse)), out + i);
  });
}

void add_affine(const float* x, const float* g, std::int64_t n, RowMoments m, double* scale,
                double* shift) {
  each(n, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto v = load(d, g + i);
    hn::StoreU(hn::Add(hn::LoadU(d, scale + i), hn::Mul(v, unit(d, x + i, m))), d, scale + i);
    hn::StoreU(hn::Add(hn::LoadU(d, shift + i), v), d, shift + i);
  });
}

}  // namespace
const NormTable kNorm{moments, apply, gradient, add_affine};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const NormTable& norm_table() {
  static const SimdVersion<NormTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kNorm
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<NormTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
