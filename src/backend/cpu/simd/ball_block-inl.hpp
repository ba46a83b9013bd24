// A block of rows, turned so that one vector holds one coordinate of several rows. Per-target
// include guard, as Highway's headers.
#if defined(SPIRALTORCH_SIMD_BALL_BLOCK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SIMD_BALL_BLOCK_INL
#undef SPIRALTORCH_SIMD_BALL_BLOCK_INL
#else
#define SPIRALTORCH_SIMD_BALL_BLOCK_INL
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
using Wide = hn::ScalableTag<double>;
#else
using Wide = hn::Repartition<double, hn::ScalableTag<float>>;
#endif
using W = hn::Vec<Wide>;
using Narrow = hn::Rebind<float, Wide>;
constexpr std::int64_t kWideLanes = hn::MaxLanes(Wide());

/// Rows of a block: many where they are short, so that the scalar functions fill their pipelines;
/// few where they are long, so that the block stays in the cache.
HWY_INLINE std::int64_t block_rows(std::int64_t cols) {
  return cols <= 64 ? 64 : std::max<std::int64_t>(8, 4096 / cols / 8 * 8);
}

HWY_INLINE W load_wide(const float* from) {
  return hn::PromoteTo(Wide(), hn::LoadU(Narrow(), from));
}

#if HWY_TARGET != HWY_SCALAR
// Four rows of four floats each, `stride` apart, to four columns `block` apart.
HWY_INLINE void transpose4(const float* from, std::int64_t stride, float* to, std::int64_t block) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> wide;
  const auto r0 = hn::LoadU(d, from);
  const auto r1 = hn::LoadU(d, from + stride);
  const auto r2 = hn::LoadU(d, from + 2 * stride);
  const auto r3 = hn::LoadU(d, from + 3 * stride);
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)), d, to + block);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, high01, high23)), d, to + 2 * block);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, high01, high23)), d, to + 3 * block);
}
#endif

// rows×cols at `from` (row stride `stride`) to cols×rows at `to` (row stride `to_stride`).
HWY_INLINE void transpose_to(const float* from, std::int64_t stride, std::int64_t rows,
                             std::int64_t cols, float* to, std::int64_t to_stride) {
#if HWY_TARGET != HWY_SCALAR
  if (rows >= 4 && cols >= 4) {
    // Where 4 does not divide, the last ones once more: the same numbers to the same places.
    for (std::int64_t i = 0; i < rows; i += 4) {
      const std::int64_t r = std::min(i, rows - 4);
      for (std::int64_t k = 0; k < cols; k += 4) {
        const std::int64_t j = std::min(k, cols - 4);
        transpose4(from + r * stride + j, stride, to + j * to_stride + r, to_stride);
      }
    }
    return;
  }
#endif
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < cols; ++j) to[j * to_stride + r] = from[r * stride + j];
  }
}

/// Loads `rows` rows into a block of `block` rows; the rest is zero. A repeated row fills all.
HWY_INLINE void load_block(const float* from, std::int64_t stride, std::int64_t rows,
                           std::int64_t cols, float* to, std::int64_t block) {
  if (stride == 0) {
    for (std::int64_t j = 0; j < cols; ++j)
      std::fill(to + j * block, to + (j + 1) * block, from[j]);
    return;
  }
  transpose_to(from, stride, rows, cols, to, block);
  if (rows == block) return;
  for (std::int64_t j = 0; j < cols; ++j) {
    std::fill(to + j * block + rows, to + (j + 1) * block, 0.0F);
  }
}

}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
