#include "backend/cpu/simd/embed_ranks.hpp"

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/embed_ranks.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's header follows foreach_target, which sets its target.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kFloats = hn::MaxLanes(hn::ScalableTag<float>());
// kScreened·kVectors accumulators, and the vectors of a row, must fit the registers.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr std::int64_t kVectors = 2;
#else
constexpr std::int64_t kVectors = 1;
#endif
static_assert(kTilePad % (kVectors * kFloats) == 0);

// Numbers of the lanes in the mask, behind those found before.
template <class D, class M>
HWY_INLINE void keep(D /*d*/, M passes, std::int64_t first, std::uint32_t* out,
                     std::int64_t& found) {
  const hn::RebindToUnsigned<D> u;
  const auto numbers = hn::Iota(u, static_cast<std::uint32_t>(first));
  found += static_cast<std::int64_t>(
      hn::CompressStore(numbers, hn::RebindMask(u, passes), u, out + found));
}

void screen(const float* rows, std::int64_t stride, std::int64_t columns, std::int64_t terms,
            const float* weights, const float* limits, std::uint32_t* out, std::int64_t room,
            std::int64_t* found) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  std::int64_t count[kScreened] = {};
  for (std::int64_t i = 0; i < columns; i += kVectors * kFloats) {
    V acc[kScreened][kVectors];
    HWY_UNROLL(8)
    for (std::int64_t k = 0; k < kScreened; ++k) {
      HWY_UNROLL(2)
      for (std::int64_t v = 0; v < kVectors; ++v) acc[k][v] = hn::Zero(d);
    }
    const float* row = rows + i;
    const float* w = weights;
    for (std::int64_t j = 0; j < terms; ++j, row += stride, w += kScreened) {
      V y[kVectors];
      HWY_UNROLL(2)
      for (std::int64_t v = 0; v < kVectors; ++v) y[v] = hn::LoadU(d, row + v * kFloats);
      HWY_UNROLL(8)
      for (std::int64_t k = 0; k < kScreened; ++k) {
        const V weight = hn::Set(d, w[k]);
        HWY_UNROLL(2)
        for (std::int64_t v = 0; v < kVectors; ++v) {
          acc[k][v] = hn::MulAdd(weight, y[v], acc[k][v]);
        }
      }
    }
    HWY_UNROLL(8)
    for (std::int64_t k = 0; k < kScreened; ++k) {
      const V limit = hn::Set(d, limits[k]);
      HWY_UNROLL(2)
      for (std::int64_t v = 0; v < kVectors; ++v) {
        const auto passes = hn::Lt(acc[k][v], limit);
        if (HWY_UNLIKELY(!hn::AllFalse(d, passes))) {
          keep(d, passes, i + v * kFloats, out + k * room, count[k]);
        }
      }
    }
  }
  for (std::int64_t k = 0; k < kScreened; ++k) found[k] = count[k];
}

template <class T>
HWY_INLINE void orders(const T* u, const T* rows, std::int64_t stride, std::int64_t columns,
                       std::int64_t dim, const T* inverses, T* out) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  constexpr std::int64_t kTogether = 4;  // chains of sums, so that they fill the pipelines
  static_assert(kTilePad % (kTogether * kLanes) == 0);
  for (std::int64_t i = 0; i < columns; i += kTogether * kLanes) {
    V sum[kTogether];
    HWY_UNROLL(4)
    for (std::int64_t v = 0; v < kTogether; ++v) sum[v] = hn::Zero(d);
    for (std::int64_t j = 0; j < dim; ++j) {
      const V mine = hn::Set(d, u[j]);
      HWY_UNROLL(4)
      for (std::int64_t v = 0; v < kTogether; ++v) {
        const V apart = hn::Sub(mine, hn::LoadU(d, rows + j * stride + i + v * kLanes));
        sum[v] = hn::MulAdd(apart, apart, sum[v]);
      }
    }
    HWY_UNROLL(4)
    for (std::int64_t v = 0; v < kTogether; ++v) {
      const std::int64_t at = i + v * kLanes;
      hn::StoreU(hn::Mul(sum[v], hn::LoadU(d, inverses + at)), d, out + at);
    }
  }
}

template <class T>
HWY_INLINE std::int64_t below(const T* orders, std::int64_t columns, T low, T high, bool& doubt) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  const auto least = hn::Set(d, low);
  const auto most = hn::Set(d, high);
#if HWY_TARGET == HWY_AVX3  // masks have registers of their own, which count at no vector's cost
  std::int64_t sure = 0, either = 0;
  for (std::int64_t i = 0; i < columns; i += kLanes) {
    const auto x = hn::LoadU(d, orders + i);
    sure += static_cast<std::int64_t>(hn::CountTrue(d, hn::Lt(x, least)));
    either += static_cast<std::int64_t>(hn::CountTrue(d, hn::Lt(x, most)));
  }
#else
  const hn::RebindToSigned<decltype(d)> s;
  auto below_low = hn::Zero(s);  // minus the counts
  auto below_high = hn::Zero(s);
  for (std::int64_t i = 0; i < columns; i += kLanes) {
    const auto x = hn::LoadU(d, orders + i);
    below_low = hn::Add(below_low, hn::VecFromMask(s, hn::RebindMask(s, hn::Lt(x, least))));
    below_high = hn::Add(below_high, hn::VecFromMask(s, hn::RebindMask(s, hn::Lt(x, most))));
  }
  const auto sure = -static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(s, below_low)));
  const auto either = -static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(s, below_high)));
#endif
  doubt = either != sure;
  return sure;
}

template <class T>
HWY_INLINE std::int64_t between(const T* orders, std::int64_t columns, T low, T high,
                                std::uint32_t* out) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  const auto least = hn::Set(d, low);
  const auto most = hn::Set(d, high);
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < columns; i += kLanes) {
    const auto x = hn::LoadU(d, orders + i);
    if (HWY_LIKELY(hn::AllFalse(d, hn::And(hn::Ge(x, least), hn::Lt(x, most))))) continue;
    for (std::int64_t k = i; k < i + kLanes; ++k) {
      if (orders[k] >= low && orders[k] < high) out[found++] = static_cast<std::uint32_t>(k);
    }
  }
  return found;
}

void orders32(const float* u, const float* rows, std::int64_t stride, std::int64_t columns,
              std::int64_t dim, const float* inverses, float* out) {
  orders(u, rows, stride, columns, dim, inverses, out);
}
void orders64(const double* u, const double* rows, std::int64_t stride, std::int64_t columns,
              std::int64_t dim, const double* inverses, double* out) {
  orders(u, rows, stride, columns, dim, inverses, out);
}
std::int64_t below32(const float* x, std::int64_t columns, float low, float high, bool& doubt) {
  return below(x, columns, low, high, doubt);
}
std::int64_t below64(const double* x, std::int64_t columns, double low, double high, bool& doubt) {
  return below(x, columns, low, high, doubt);
}
std::int64_t between32(const float* x, std::int64_t columns, float low, float high,
                       std::uint32_t* out) {
  return between(x, columns, low, high, out);
}
std::int64_t between64(const double* x, std::int64_t columns, double low, double high,
                       std::uint32_t* out) {
  return between(x, columns, low, high, out);
}

}  // namespace
const EmbedRanksTable kEmbedRanks{screen,  orders32,  orders64, below32,
                                  below64, between32, between64};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const EmbedRanksTable& embed_ranks_table() {
  static const SimdVersion<EmbedRanksTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kEmbedRanks
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<EmbedRanksTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
