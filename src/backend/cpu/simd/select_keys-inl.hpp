// Keys of rank selection, per Highway target: loading them, their unsigned form, and the k-th
// largest of a list. Included by select.cpp once per target.
#if defined(SPIRALTORCH_SELECT_KEYS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SELECT_KEYS_INL
#undef SPIRALTORCH_SELECT_KEYS_INL
#else
#define SPIRALTORCH_SELECT_KEYS_INL
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>

#include "backend/cpu/simd/select.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<std::int32_t>;
using DU = hn::ScalableTag<std::uint32_t>;
using VU = hn::Vec<DU>;

HWY_INLINE std::int64_t lanes_of() { return static_cast<std::int64_t>(hn::Lanes(DF())); }

// Floats as they are: comparisons with NaN are false, ±0 are equal. Flipped: negated.
template <bool kFlip>
struct FloatKeys {
  using T = float;
  using D = DF;
  using V = hn::Vec<D>;
  static constexpr bool kHasNan = true;  // keys may be NaN, which takes no part
  static constexpr float lowest() { return -std::numeric_limits<float>::infinity(); }
  static constexpr float highest() { return std::numeric_limits<float>::infinity(); }
  static HWY_INLINE V load(const float* x) {
    const V v = hn::LoadU(D(), x);
    if constexpr (kFlip) return hn::Neg(v);
    return v;
  }
  static HWY_INLINE T key(float x) { return kFlip ? -x : x; }
  static HWY_INLINE bool takes_part(T v) { return v == v; }
  static HWY_INLINE hn::Mask<D> valid(V v) { return hn::Eq(v, v); }
  // The larger; `best` where v is NaN.
  static HWY_INLINE V larger(V v, V best) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    return hn::Max(v, best);  // maxps returns its second operand for NaN
#else
    return hn::IfThenElse(hn::Gt(v, best), v, best);
#endif
  }
  static HWY_INLINE VU to_unsigned(V v) {
    const D d;
    const DI di;
    const auto bits = hn::BitCast(di, hn::IfThenZeroElse(hn::Eq(v, hn::Zero(d)), v));
    const auto flip = hn::And(hn::ShiftRight<31>(bits), hn::Set(di, 0x7fffffff));
    return hn::Xor(hn::BitCast(DU(), hn::Xor(bits, flip)), hn::Set(DU(), 0x80000000U));
  }
  static HWY_INLINE std::uint32_t to_unsigned(T v) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    if ((bits << 1) == 0) return 0x80000000U;
    return (bits >> 31) != 0 ? ~bits : bits ^ 0x80000000U;
  }
  static HWY_INLINE T from_unsigned(std::uint32_t u) {
    return std::bit_cast<float>((u >> 31) != 0 ? u ^ 0x80000000U : ~u);
  }
};

// Integers in IEEE order, −0 as 0 and NaN as the largest. Flipped: complemented.
template <bool kFlip>
struct IntKeys {
  using T = std::int32_t;
  using D = DI;
  using V = hn::Vec<D>;
  static constexpr bool kHasNan = false;
  static constexpr T lowest() { return std::numeric_limits<T>::min(); }
  static constexpr T highest() { return std::numeric_limits<T>::max(); }
  static HWY_INLINE V load(const float* x) {
    const D d;
    const V bits = hn::BitCast(d, hn::LoadU(DF(), x));
    const V magnitude = hn::And(bits, hn::Set(d, 0x7fffffff));
    const V ordered = hn::Xor(bits, hn::And(hn::ShiftRight<31>(bits), hn::Set(d, 0x7fffffff)));
    const V zero = hn::IfThenZeroElse(hn::Eq(magnitude, hn::Zero(d)), ordered);
    const V v =
        hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, 0x7f800000)), hn::Set(d, 0x7fffffff), zero);
    if constexpr (kFlip) return hn::Not(v);
    return v;
  }
  static HWY_INLINE T key(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    T v = 0;
    if (magnitude > 0x7f800000U) {
      v = 0x7fffffff;
    } else if (magnitude != 0) {
      v = static_cast<T>((bits >> 31) != 0 ? bits ^ 0x7fffffffU : bits);
    }
    return kFlip ? ~v : v;
  }
  static HWY_INLINE bool takes_part(T) { return true; }
  static HWY_INLINE hn::Mask<D> valid(V v) { return hn::Eq(v, v); }
  static HWY_INLINE V larger(V v, V best) { return hn::Max(v, best); }
  static HWY_INLINE VU to_unsigned(V v) {
    return hn::Xor(hn::BitCast(DU(), v), hn::Set(DU(), 0x80000000U));
  }
  static HWY_INLINE std::uint32_t to_unsigned(T v) {
    return static_cast<std::uint32_t>(v) ^ 0x80000000U;
  }
  static HWY_INLINE T from_unsigned(std::uint32_t u) { return static_cast<T>(u ^ 0x80000000U); }
};

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
// Highway's own tables for Compress are copied to the stack by some compilers, at each call.
constexpr int kPackLanes = HWY_TARGET == HWY_AVX2 ? 8 : 4;
struct PackTable {
  alignas(64) std::uint8_t rows[1 << kPackLanes][HWY_TARGET == HWY_AVX2 ? 8 : 16];
};
constexpr PackTable make_pack_table() {
  PackTable t{};
  for (int bits = 0; bits < (1 << kPackLanes); ++bits) {
    int to = 0;
    for (int lane = 0; lane < kPackLanes; ++lane) {
      if (((bits >> lane) & 1) == 0) continue;
      if (kPackLanes == 8) {
        t.rows[bits][to++] = static_cast<std::uint8_t>(lane);
      } else {
        for (int byte = 0; byte < 4; ++byte) {
          t.rows[bits][4 * to + byte] = static_cast<std::uint8_t>(4 * lane + byte);
        }
        ++to;
      }
    }
  }
  return t;
}
constexpr PackTable kPackTable = make_pack_table();

template <class D, class V, class M>
HWY_INLINE V packed(D d, V v, M mask) {
  std::uint8_t bits = 0;
  hn::StoreMaskBits(d, mask, &bits);
#if HWY_TARGET == HWY_AVX2
  const hn::Rebind<std::uint8_t, DI> bytes;
  const auto lanes = hn::PromoteTo(DI(), hn::LoadU(bytes, kPackTable.rows[bits]));
  return hn::TableLookupLanes(v, hn::IndicesFromVec(d, lanes));
#else
  const hn::Repartition<std::uint8_t, D> bytes;
  return hn::BitCast(
      d, hn::TableLookupBytes(hn::BitCast(bytes, v), hn::Load(bytes, kPackTable.rows[bits])));
#endif
}
#else
template <class D, class V, class M>
HWY_INLINE V packed(D, V v, M mask) {
  return hn::Compress(v, mask);
}
#endif

// The mask as bits, lane 0 lowest; at most 16 lanes.
template <class D, class M>
HWY_INLINE std::uint64_t bits_of(D d, M mask) {
  if constexpr (hn::MaxLanes(D()) <= 8) {
    std::uint8_t bits = 0;
    hn::StoreMaskBits(d, mask, &bits);
    return bits;
  } else {
    std::uint8_t bytes[8];
    hn::StoreMaskBits(d, mask, bytes);
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
    return bits;
  }
}

// The lanes that the mask selects, packed to the front, in one whole-vector store (masked stores
// are microcoded on some processors); returns how many count.
template <class D, class V, class M>
HWY_INLINE std::int64_t pack(V v, M mask, D d, hn::TFromD<D>* out) {
  hn::StoreU(packed(d, v, mask), d, out);
  return static_cast<std::int64_t>(hn::CountTrue(d, mask));
}

// v ≥ t; this Highway has Ge for floats only.
template <class D, class V = hn::Vec<D>>
HWY_INLINE hn::Mask<D> at_least(D, V v, V t) {
  if constexpr (hwy::IsFloat<hn::TFromD<D>>()) {
    return hn::Ge(v, t);
  } else {
    return hn::Not(hn::Gt(t, v));
  }
}

template <class T>
constexpr T lowest_key() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                              : std::numeric_limits<T>::lowest();
}

// Calls f<Keys>(arguments…) for a policy.
#define SPIRALTORCH_BY_POLICY(f, ...)          \
  switch (policy) {                            \
    case KeyPolicy::plain:                     \
      return f<FloatKeys<false>>(__VA_ARGS__); \
    case KeyPolicy::flipped:                   \
      return f<FloatKeys<true>>(__VA_ARGS__);  \
    case KeyPolicy::nan_plain:                 \
      return f<IntKeys<false>>(__VA_ARGS__);   \
    default:                                   \
      return f<IntKeys<true>>(__VA_ARGS__);    \
  }

// Scratch words as keys: plain memory, written before it is read.
template <class T>
HWY_INLINE T* as_keys(std::uint32_t* words) {
  return reinterpret_cast<T*>(words);
}

// The k-th largest of a list and how the rest stands to it.
template <class T>
struct Kth {
  T key;
  std::int64_t above;
  std::int64_t equal;
};

template <class T>
Kth<T> kth_by_introselect(T* a, std::int64_t n, std::int64_t k, std::int64_t above) {
  std::nth_element(a, a + (k - 1), a + n, std::greater<T>());
  const T key = a[k - 1];
  const auto greater = std::count_if(a, a + (k - 1), [key](T v) { return v > key; });
  const auto equal = std::count(a, a + n, key);
  return {key, above + greater, equal};
}

// How many of a list are above and equal to a key.
struct Standing {
  std::int64_t above;
  std::int64_t equal;
};

template <class D, class T = hn::TFromD<D>>
HWY_INLINE Standing standing(D d, const T* a, std::int64_t n, T key) {
  const DI di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto v = hn::Set(d, key);
  auto above = hn::Zero(di);
  auto equal = above;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::LoadU(d, a + i);
    above = hn::Sub(above, hn::BitCast(di, hn::VecFromMask(d, hn::Gt(x, v))));
    equal = hn::Sub(equal, hn::BitCast(di, hn::VecFromMask(d, hn::Eq(x, v))));
  }
  Standing out{hn::GetLane(hn::SumOfLanes(di, above)), hn::GetLane(hn::SumOfLanes(di, equal))};
  for (; i < n; ++i) {
    out.above += a[i] > key ? 1 : 0;
    out.equal += a[i] == key ? 1 : 0;
  }
  return out;
}

// Each element's place in descending order, equal keys in list order: how many stand before it. A
// vector of elements meets one element after the other. Keys are padded to whole vectors with the
// lowest key.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void places_of(D d, const T* keys, std::int64_t n, std::int32_t* places) {
  const DI di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto iota = hn::Iota(di, 0);
  for (std::int64_t i = 0; i < n; i += lanes) {
    const auto v = hn::LoadU(d, keys + i);
    auto before = hn::Zero(di);
    auto after = before;
    const std::int64_t own = std::min(n, i + lanes);
    std::int64_t j = 0;
    for (; j < i; ++j) {
      const auto mask = at_least(d, hn::Set(d, keys[j]), v);
      before = hn::Sub(before, hn::BitCast(di, hn::VecFromMask(d, mask)));
    }
    for (; j < own; ++j) {
      const auto x = hn::Set(d, keys[j]);
      const auto larger = hn::BitCast(di, hn::VecFromMask(d, hn::Gt(x, v)));
      const auto equal = hn::BitCast(di, hn::VecFromMask(d, hn::Eq(x, v)));
      const auto later =
          hn::VecFromMask(di, hn::Gt(iota, hn::Set(di, static_cast<std::int32_t>(j - i))));
      before = hn::Sub(before, hn::Or(larger, hn::And(equal, later)));
    }
    for (; j < n; ++j) {
      const auto mask = hn::Gt(hn::Set(d, keys[j]), v);
      after = hn::Sub(after, hn::BitCast(di, hn::VecFromMask(d, mask)));
    }
    hn::StoreU(hn::Add(before, after), di, places + i);
  }
}

// Lists of a few vectors, with room behind them.
template <class D, class T = hn::TFromD<D>>
Kth<T> kth_by_places(D d, T* a, std::int64_t n, std::int64_t k, std::int64_t above) {
  std::int32_t places[128];
  std::fill(a + n, a + n + static_cast<std::int64_t>(hn::Lanes(d)), lowest_key<T>());
  places_of(d, a, n, places);
  const T key = a[std::find(places, places + n, static_cast<std::int32_t>(k - 1)) - places];
  const Standing s = standing(d, a, n, key);
  return {key, above + s.above, s.equal};
}

// A pivot near the k-th largest: that quantile of a few elements, found without branches.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE T pick_pivot(D d, const T* a, std::int64_t n, std::int64_t k) {
  const std::int64_t count = n < 256 ? 8 : (n < 2048 ? 16 : 32);
  T sample[32 + 64];
  std::int32_t places[32 + 64];
  for (std::int64_t i = 0; i < count; ++i) sample[i] = a[(2 * i + 1) * n / (2 * count)];
  std::fill(sample + count, sample + count + static_cast<std::int64_t>(hn::Lanes(d)),
            lowest_key<T>());
  places_of(d, sample, count, places);
  const auto wanted = static_cast<std::int32_t>(std::min(count - 1, (2 * k - 1) * count / (2 * n)));
  T pivot = sample[0];
  for (std::int64_t i = 0; i < count; ++i) pivot = places[i] == wanted ? sample[i] : pivot;
  return pivot;
}

// Keeps the elements above (or below) the pivot at the front; returns how many. Whole vectors are
// stored, never beyond what has been read.
template <bool kAbove, class D, class T>
std::int64_t keep_side(D d, T* a, std::int64_t n, T pivot) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto p = hn::Set(d, pivot);
  std::int64_t kept = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, a + i);
    const auto mask = kAbove ? hn::Gt(v, p) : hn::Lt(v, p);
    kept += pack(v, mask, d, a + kept);
  }
  for (; i < n; ++i) {
    const T v = a[i];
    if (kAbove ? v > pivot : v < pivot) a[kept++] = v;
  }
  return kept;
}

// How many are above v, a number that need not be in the list.
HWY_INLINE std::int64_t count_above(const float* a, std::int64_t n, float v) {
  const DF d;
  const DI di;
  const std::int64_t lanes = lanes_of();
  const auto pivot = hn::Set(d, v);
  auto c0 = hn::Zero(di), c1 = c0;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto m0 = hn::Gt(hn::LoadU(d, a + i), pivot);
    const auto m1 = hn::Gt(hn::LoadU(d, a + i + lanes), pivot);
    c0 = hn::Sub(c0, hn::BitCast(di, hn::VecFromMask(d, m0)));
    c1 = hn::Sub(c1, hn::BitCast(di, hn::VecFromMask(d, m1)));
  }
  std::int64_t count = hn::GetLane(hn::SumOfLanes(di, hn::Add(c0, c1)));
  for (; i < n; ++i) count += a[i] > v ? 1 : 0;
  return count;
}

// The largest element that is not above v.
HWY_INLINE float largest_up_to(const float* a, std::int64_t n, float v) {
  const DF d;
  const std::int64_t lanes = lanes_of();
  const auto limit = hn::Set(d, v);
  const auto lowest = hn::Set(d, lowest_key<float>());
  auto best = lowest;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::LoadU(d, a + i);
    best = hn::Max(best, hn::IfThenElse(hn::Gt(x, limit), lowest, x));
  }
  float out = hn::GetLane(hn::MaxOfLanes(d, best));
  for (; i < n; ++i) out = a[i] <= v ? std::max(out, a[i]) : out;
  return out;
}

// Short lists of floats: a secant search for a number with k − 1 (to k − 1 + slack) elements above
// it, each step one count over the list, nothing moved. False where ties, infinities or a skew
// keep it from getting there.
bool kth_by_secant(const float* a, std::int64_t n, std::int64_t k, std::int64_t slack,
                   Kth<float>& out) {
  constexpr int kMostSteps = 9;
  const DF d;
  const std::int64_t lanes = lanes_of();
  auto most = hn::LoadU(d, a), least = most;
  for (std::int64_t i = lanes; i + lanes <= n; i += lanes) {
    const auto x = hn::LoadU(d, a + i);
    most = hn::Max(most, x);
    least = hn::Min(least, x);
  }
  float low = hn::GetLane(hn::MinOfLanes(d, least));
  float high = hn::GetLane(hn::MaxOfLanes(d, most));
  auto at_low = static_cast<float>(n);
  float at_high = 0.0F;
  const auto wanted = static_cast<float>(k) - 0.5F + 0.5F * static_cast<float>(slack);
  for (int step = 0; step < kMostSteps; ++step) {
    const float share = (step & 3) == 3 ? 0.5F : (at_low - wanted) / (at_low - at_high);
    const float v = low + (high - low) * share;
    if (!(v > low && v < high)) return false;
    const std::int64_t above = count_above(a, n, v);
    if (above >= k - 1 && above <= k - 1 + slack) {
      const float key = largest_up_to(a, n, v);
      const Standing s = standing(d, a, n, key);
      out = {key, s.above, s.equal};
      return true;
    }
    const bool too_many = above >= k;
    low = too_many ? v : low;
    at_low = too_many ? static_cast<float>(above) : at_low;
    high = too_many ? high : v;
    at_high = too_many ? at_high : static_cast<float>(above);
  }
  return false;
}

// Quickselect (Hoare 1961) on keys without NaN, partitioned with packing stores; destroys `a`,
// which has room for a vector behind it. With `slack` the result may be any element whose rank is k
// to k + slack.
template <class D, class T = hn::TFromD<D>>
Kth<T> kth_largest(D d, T* a, std::int64_t n, std::int64_t k, std::int64_t slack = 0) {
  constexpr std::int64_t kSmall = 32;
  constexpr std::int64_t kShort = 512;
  constexpr int kMostRounds = 48;
  std::int64_t above = 0;
  if constexpr (hwy::IsFloat<T>()) {
    Kth<T> found{};
    if (n > kSmall && n <= kShort && kth_by_secant(a, n, k, slack, found)) return found;
  }
  for (int round = 0; n > kSmall && round < kMostRounds; ++round) {
    const T pivot = pick_pivot(d, a, n, k + slack / 2);
    const Standing s = standing(d, a, n, pivot);
    if (s.above < k + slack && k <= s.above + s.equal) return {pivot, above + s.above, s.equal};
    if (k <= s.above) {
      n = keep_side<true>(d, a, n, pivot);
    } else {
      above += s.above + s.equal;
      k -= s.above + s.equal;
      n = keep_side<false>(d, a, n, pivot);
    }
  }
  return n > kSmall ? kth_by_introselect(a, n, k, above) : kth_by_places(d, a, n, k, above);
}

}  // namespace
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
