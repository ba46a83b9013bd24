// Random positions by vectors of Philox blocks. Per-target include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_EMBED_POOL_DRAW_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_EMBED_POOL_DRAW_INL
#undef SPIRALTORCH_SIMD_EMBED_POOL_DRAW_INL
#else
#define SPIRALTORCH_SIMD_EMBED_POOL_DRAW_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "backend/cpu/simd/embed_pool.hpp"
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "spiraltorch/base/philox.hpp"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
using Words = hn::ScalableTag<std::uint32_t>;
using WV = hn::Vec<Words>;

struct Product {
  WV high, low;
};

// The 64-bit products of 32-bit lanes.
HWY_INLINE Product product(WV a, WV b) {
  const Words d;
  const hn::RepartitionToWide<Words> wide;
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))),
                               hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, b))));
  return {hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even))),
          hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even))};
}

// `count` words of a Philox stream, a multiple of kDrawBatch of them.
HWY_INLINE void philox_words(const std::uint32_t* counter, const std::uint32_t* key,
                             std::int64_t count, std::uint32_t* out) {
  const Words d;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Words()));
  const WV a = hn::Set(d, 0xD2511F53U);
  const WV b = hn::Set(d, 0xCD9E8D57U);
  for (std::int64_t i = 0; i < count; i += 4 * kLanes) {
    WV x0 = hn::Iota(d, counter[0] + static_cast<std::uint32_t>(i / 4));
    WV x1 = hn::Set(d, counter[1]);
    WV x2 = hn::Set(d, counter[2]);
    WV x3 = hn::Set(d, counter[3]);
    std::uint32_t k0 = key[0];
    std::uint32_t k1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const Product p = product(a, x0);
      const Product q = product(b, x2);
      x0 = hn::Xor(hn::Xor(q.high, x1), hn::Set(d, k0));
      x2 = hn::Xor(hn::Xor(p.high, x3), hn::Set(d, k1));
      x1 = q.low;
      x3 = p.low;
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    hn::StoreInterleaved4(x0, x1, x2, x3, d, out + i);
  }
}

// The place in a part, turned.
HWY_INLINE void place_draws(const PoolStrata& strata, std::int32_t turn, std::int64_t i, WV inside,
                            std::int32_t* out) {
  const hn::ScalableTag<std::int32_t> d;
  const auto size = hn::Set(d, strata.size);
  const auto at = hn::Add(hn::Add(hn::LoadU(d, strata.first.data() + i), hn::Set(d, turn)),
                          hn::BitCast(d, inside));
  hn::StoreU(hn::IfThenElse(hn::Lt(at, size), at, hn::Sub(at, size)), d, out + i);
}

inline void draw_strata(const std::uint32_t* counter, const std::uint32_t* key,
                        const PoolStrata& strata, std::int32_t turn, std::int32_t* out) {
  const Words d;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Words()));
  constexpr std::int64_t kHalf = 16;  // words that serve two runs of as many parts
  const auto count = std::ssize(strata.first);
  auto* words = reinterpret_cast<std::uint32_t*>(out);
  philox_words(counter, key, strata.halves ? count / 2 : count, words);
  if (!strata.halves) {
    for (std::int64_t i = 0; i < count; i += kLanes) {
      const WV word = hn::LoadU(d, words + i);
      place_draws(strata, turn, i, product(word, hn::LoadU(d, strata.width.data() + i)).high, out);
    }
    return;
  }
  const WV low = hn::Set(d, 0xFFFFU);
  for (std::int64_t first = count / 2 - kHalf; first >= 0;
       first -= kHalf) {  // in place: from behind
    for (std::int64_t i = 2 * first; i < 2 * first + kHalf; i += kLanes) {
      const WV word = hn::LoadU(d, words + i - first);
      const WV lower = hn::Mul(hn::And(word, low), hn::LoadU(d, strata.width.data() + i));
      const WV upper =
          hn::Mul(hn::ShiftRight<16>(word), hn::LoadU(d, strata.width.data() + i + kHalf));
      place_draws(strata, turn, i, hn::ShiftRight<16>(lower), out);
      place_draws(strata, turn, i + kHalf, hn::ShiftRight<16>(upper), out);
    }
  }
}

// Asks for the rows at these addresses.
HWY_INLINE void fetch_rows(const std::int64_t* rows, std::int64_t count, std::int32_t stride) {
  constexpr std::int32_t kLines = 4;  // the rest follows by itself
  for (std::int64_t i = 0; i < count; ++i) {
    const auto* row = reinterpret_cast<const std::byte*>(rows[i]);
    for (std::int32_t at = 0; at < std::min(stride, kLines * 64); at += 64) {
      hwy::Prefetch(row + at);
    }
  }
}

inline void locate_rows(void* base, std::int32_t stride, const std::int32_t* places,
                        std::int64_t count, void* rows) {
  static_assert(sizeof(void*) == sizeof(std::int64_t));
  const hn::ScalableTag<std::int64_t> d;
  const hn::Rebind<std::int32_t, decltype(d)> half;
  const hn::Repartition<std::int32_t, decltype(d)> narrow;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(d));
  auto* out = static_cast<std::int64_t*>(rows);
  const auto first = hn::Set(d, reinterpret_cast<std::int64_t>(base));
  const auto by = hn::Set(narrow, stride);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const auto place = hn::PromoteTo(d, hn::LoadU(half, places + i));
    hn::StoreU(hn::Add(first, hn::MulEven(hn::BitCast(narrow, place), by)), d, out + i);
  }
  fetch_rows(out, count, stride);
}

inline bool find_any(const std::int32_t* values, std::int64_t count,
                     std::span<const std::int32_t> forbidden, std::int32_t* flags) {
  const hn::ScalableTag<std::int32_t> d;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Words()));
  auto any = hn::Zero(d);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const auto v = hn::LoadU(d, values + i);
    auto bad = hn::Lt(v, v);  // none
    for (const std::int32_t f : forbidden) bad = hn::Or(bad, hn::Eq(v, hn::Set(d, f)));
    const auto flag = hn::IfThenElseZero(bad, hn::Set(d, 1));
    hn::StoreU(flag, d, flags + i);
    any = hn::Or(any, flag);
  }
  return !hn::AllFalse(d, hn::Gt(any, hn::Zero(d)));
}
#else
inline void draw_strata(const std::uint32_t* counter, const std::uint32_t* key,
                        const PoolStrata& strata, std::int32_t turn, std::int32_t* out) {
  for (std::int64_t i = 0; i < std::ssize(strata.first); ++i) {
    const auto k = static_cast<std::size_t>(i);
    const std::size_t w = strata.halves ? k / 32 * 16 + k % 16 : k;
    const auto words = philox4x32(
        {counter[0] + static_cast<std::uint32_t>(w / 4), counter[1], counter[2], counter[3]},
        {key[0], key[1]});
    std::uint32_t word = words[w % 4];
    if (strata.halves) word = k % 32 < 16 ? word << 16U : word & 0xFFFF0000U;
    const std::uint64_t inside = (std::uint64_t{word} * strata.width[k]) >> 32U;
    const std::int32_t at = strata.first[k] + static_cast<std::int32_t>(inside) + turn;
    out[i] = at < strata.size ? at : at - strata.size;
  }
}

inline bool find_any(const std::int32_t* values, std::int64_t count,
                     std::span<const std::int32_t> forbidden, std::int32_t* flags) {
  bool any = false;
  for (std::int64_t i = 0; i < count; ++i) {
    flags[i] = 0;
    for (const std::int32_t f : forbidden) flags[i] |= values[i] == f ? 1 : 0;
    any |= flags[i] != 0;
  }
  return any;
}

inline void locate_rows(void* base, std::int32_t stride, const std::int32_t* places,
                        std::int64_t count, void* rows) {
  for (std::int64_t i = 0; i < count; ++i) {
    const void* row = static_cast<std::byte*>(base) + std::int64_t{places[i]} * stride;
    std::memcpy(static_cast<std::byte*>(rows) + i * std::int64_t{sizeof row}, &row, sizeof row);
  }
}
#endif

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
