// Sums over the lanes of many vectors at once. Per-target include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#undef SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#else
#define SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
// Lane i of each 128-bit block: the sum of that block of vector i. Takes four vectors of float or
// two of double.
template <class D, class V>
HWY_INLINE V block_sums(D d, const V* v) {
  const V ab = hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1]));
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return ab;
  } else {
    const hn::Repartition<double, D> pairs;
    const V cd = hn::Add(hn::InterleaveLower(d, v[2], v[3]), hn::InterleaveUpper(d, v[2], v[3]));
    const auto p = hn::BitCast(pairs, ab);
    const auto q = hn::BitCast(pairs, cd);
    return hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, p, q)),
                   hn::BitCast(d, hn::InterleaveUpper(pairs, p, q)));
  }
}
#endif

// Lane i of the result: the sum over the lanes of v[i], for as many vectors as there are lanes. The
// tree of additions does not depend on the values.
template <class D, class V>
HWY_INLINE V sums_of_all(D d, const V* v) {
#if HWY_TARGET == HWY_SCALAR
  (void)d;
  return v[0];
#else
  constexpr std::size_t kBytes = hn::MaxLanes(D()) * sizeof(hn::TFromD<D>);
  constexpr std::size_t kEach = 16 / sizeof(hn::TFromD<D>);
  const V q0 = block_sums(d, v);
  if constexpr (kBytes == 16) {
    return q0;
  } else if constexpr (kBytes == 32) {
    const V q1 = block_sums(d, v + kEach);
    return hn::Add(hn::ConcatLowerLower(d, q1, q0), hn::ConcatUpperUpper(d, q1, q0));
  } else {
    static_assert(kBytes == 64);
    const V q1 = block_sums(d, v + kEach);
    const V q2 = block_sums(d, v + 2 * kEach);
    const V q3 = block_sums(d, v + 3 * kEach);
    const V low = hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(q1), q0),
                          hn::OddEvenBlocks(q1, hn::SwapAdjacentBlocks(q0)));
    const V high = hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(q3), q2),
                           hn::OddEvenBlocks(q3, hn::SwapAdjacentBlocks(q2)));
    return hn::Add(hn::ConcatLowerLower(d, high, low), hn::ConcatUpperUpper(d, high, low));
  }
#endif
}

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
