#include "backend/cpu/simd/embed.hpp"

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/embed.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's headers follow foreach_target, which sets their target.
#include "backend/cpu/simd/ball_block-inl.hpp"
#include "backend/cpu/simd/math-inl.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

struct Squares {
  W difference;  // |u − y|²
  W own;         // |y|²
};

HWY_INLINE Squares squares_at(const double* u, const Candidates& y, std::int64_t i) {
  const Wide d;
  Squares out{hn::Zero(d), hn::Zero(d)};
  for (std::int64_t j = 0; j < y.dim; ++j) {
    const W v = load_wide(y.block + j * y.stride + i);
    const W difference = hn::Sub(hn::Set(d, u[j]), v);
    out.difference = hn::MulAdd(difference, difference, out.difference);
    out.own = hn::MulAdd(v, v, out.own);
  }
  return out;
}

void terms(const double* u, double alpha, double s, const Candidates& y, double* e, double* c,
           double* on_y, double* on_u) {
  const Wide d;
  const W one = hn::Set(d, 1.0);
  const W two = hn::Set(d, 2.0);
  const W a = hn::Set(d, alpha);
  for (std::int64_t i = 0; i < y.count; i += kWideLanes) {
    const Squares n = squares_at(u, y, i);
    const W beta = hn::Sub(one, n.own);
    const W product = hn::Mul(a, beta);
    const W t = hn::Div(n.difference, product);
    const W q = hn::Sqrt(hn::MulAdd(t, t, t));
    W decay = hn::Div(one, hn::MulAdd(two, hn::Add(t, q), one));
    if (s != 1.0) decay = hn::Mul(hn::Set(d, s), safe_log(d, decay));
    const auto apart = hn::Gt(q, hn::Zero(d));
    const W divisor = hn::IfThenElse(apart, hn::Mul(product, q), one);
    hn::StoreU(decay, d, e + i);
    hn::StoreU(hn::IfThenElseZero(apart, hn::Div(two, divisor)), d, c + i);
    hn::StoreU(hn::Add(one, hn::Div(n.difference, beta)), d, on_y + i);
    hn::StoreU(hn::Add(one, hn::Div(n.difference, a)), d, on_u + i);
  }
}

void powers(double shift, std::int64_t count, double* e) {
  const Wide d;
  const W most = hn::Set(d, 700.0);
  for (std::int64_t i = 0; i < count; i += kWideLanes) {
    const W relative = hn::Sub(hn::LoadU(d, e + i), hn::Set(d, shift));
    hn::StoreU(safe_exp(d, hn::IfThenElse(hn::Gt(relative, most), most, relative)), d, e + i);
  }
}

void weighted_rows(const Candidates& y, const double* w, double* sums) {
  const Wide d;
  for (std::int64_t j = 0; j < y.dim; ++j) {
    W sum = hn::Zero(d);
    for (std::int64_t i = 0; i < y.count; i += kWideLanes) {
      sum = hn::MulAdd(hn::LoadU(d, w + i), load_wide(y.block + j * y.stride + i), sum);
    }
    sums[j] += hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

}  // namespace
const EmbedTable kEmbed{terms, powers, weighted_rows};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const EmbedTable& embed_table() {
  static const SimdVersion<EmbedTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kEmbed
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<EmbedTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
