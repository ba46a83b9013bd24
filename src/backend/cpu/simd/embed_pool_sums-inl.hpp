// Sums over the lanes of many vectors at once. Per-target include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#undef SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#else
#define SPIRALTORCH_SIMD_EMBED_POOL_SUMS_INL
#endif

#include <cstdint>

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

// Rows by coordinates, four at a time: faster than sums over the lanes of rows of few coordinates.
// Needs registers for all of a group's rows.
#if HWY_TARGET == HWY_AVX3
using Four = hn::Full128<float>;
using Row16 = hn::ScalableTag<float>;

// Four floats from `at` on of rows 0, 4, 8 and 12.
HWY_INLINE hn::Vec<Row16> four_of_each(const float* const* rows, std::int64_t at) {
  const Four d;
  const hn::Twice<Four> two;
  const auto low = hn::Combine(two, hn::LoadU(d, rows[4] + at), hn::LoadU(d, rows[0] + at));
  const auto high = hn::Combine(two, hn::LoadU(d, rows[12] + at), hn::LoadU(d, rows[8] + at));
  return hn::Combine(Row16(), high, low);
}

// out[j]: lane i is float j of four of row i, from v[k], which has those of rows k, k + 4, k + 8
// and k + 12.
HWY_INLINE void turn_blocks(const hn::Vec<Row16>* v, hn::Vec<Row16>* out) {
  const Row16 d;
  const hn::Repartition<double, Row16> pairs;
  const auto ab = hn::BitCast(pairs, hn::InterleaveLower(d, v[0], v[1]));
  const auto cd = hn::BitCast(pairs, hn::InterleaveLower(d, v[2], v[3]));
  out[0] = hn::BitCast(d, hn::InterleaveLower(pairs, ab, cd));
  out[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, ab, cd));
  const auto ef = hn::BitCast(pairs, hn::InterleaveUpper(d, v[0], v[1]));
  const auto gh = hn::BitCast(pairs, hn::InterleaveUpper(d, v[2], v[3]));
  out[2] = hn::BitCast(d, hn::InterleaveLower(pairs, ef, gh));
  out[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, ef, gh));
}

// |x − u|², x·(x − u) and the last float of 16 rows x of kDim + 1 floats.
template <std::int64_t kDim>
HWY_INLINE void measure_16(const float* const* rows, const float* u, float* square, float* dot,
                           float* last) {
  const Row16 d;
  constexpr std::int64_t kFours = kDim / 4 + 1;
  hn::Vec<Row16> v[kFours][4];
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < 4; ++k) {
#pragma GCC unroll 4
    for (std::int64_t q = 0; q < kFours; ++q) v[q][k] = four_of_each(rows + k, 4 * q);
  }
  hn::Vec<Row16> squares = hn::Zero(d);
  hn::Vec<Row16> dots = hn::Zero(d);
#pragma GCC unroll 4
  for (std::int64_t q = 0; q < kFours; ++q) {
    hn::Vec<Row16> x[4];
    turn_blocks(v[q], x);
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < 4; ++j) {
      if (4 * q + j < kDim) {
        const auto diff = hn::Sub(x[j], hn::Set(d, u[4 * q + j]));
        squares = hn::MulAdd(diff, diff, squares);
        dots = hn::MulAdd(x[j], diff, dots);
      } else if (4 * q + j == kDim) {
        hn::StoreU(x[j], d, last);
      }
    }
  }
  hn::StoreU(squares, d, square);
  hn::StoreU(dots, d, dot);
}

// The same for groups of 16 rows, `count` rows in all; 1 ≤ dim < 16.
template <std::int64_t kDim = 1>
HWY_INLINE void measure_all(std::int64_t dim, const float* const* rows, const float* u,
                            std::int64_t count, float* square, float* dot, float* last) {
  if constexpr (kDim < 15) {
    if (dim != kDim) {
      measure_all<kDim + 1>(dim, rows, u, count, square, dot, last);
      return;
    }
  }
  for (std::int64_t i = 0; i < count; i += 16) {
    measure_16<kDim>(rows + i, u, square + i, dot + i, last + i);
  }
}
#endif

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
