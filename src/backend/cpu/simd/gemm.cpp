#include "backend/cpu/simd/gemm.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "backend/cpu/simd/level.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd/gemm.cpp"
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
// Highway's header follows foreach_target, which sets its target.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

constexpr std::int64_t kLanes = hn::MaxLanes(D());
constexpr std::int64_t kNr = 2 * kLanes;
// 2·MR accumulators, two vectors of b and one of a must fit the registers: 16 of them, AVX-512 32.
#if HWY_TARGET == HWY_AVX3
constexpr std::int64_t kMr = 12;
#else
constexpr std::int64_t kMr = 6;
#endif

template <std::int64_t rows>
HWY_INLINE void store_tile(const MicroTile& t, const V (&acc)[rows][2]) {
  const D d;
  if (t.cols == kNr) {
    for (std::int64_t i = 0; i < rows; ++i) {
      float* c = t.c + i * t.c_stride;
      V c0 = acc[i][0];
      V c1 = acc[i][1];
      if (t.accumulate) {
        c0 = hn::Add(c0, hn::LoadU(d, c));
        c1 = hn::Add(c1, hn::LoadU(d, c + kLanes));
      }
      hn::StoreU(c0, d, c);
      hn::StoreU(c1, d, c + kLanes);
    }
    return;
  }
  HWY_ALIGN float whole[kNr];
  for (std::int64_t i = 0; i < rows; ++i) {
    float* c = t.c + i * t.c_stride;
    hn::Store(acc[i][0], d, whole);
    hn::Store(acc[i][1], d, whole + kLanes);
    for (std::int64_t j = 0; j < t.cols; ++j) c[j] = t.accumulate ? c[j] + whole[j] : whole[j];
  }
}

template <std::int64_t rows, bool packed>
void tile_of(const MicroTile& t) {
  const D d;
  V acc[rows][2];
  for (std::int64_t i = 0; i < rows; ++i) acc[i][0] = acc[i][1] = hn::Zero(d);
  // A packed panel has its rows beside each other: constant offsets instead of strides.
  const std::int64_t row_stride = packed ? 1 : t.a_row_stride;
  const std::int64_t k_stride = packed ? kMr : t.a_k_stride;
  const float* a = t.a;
  const float* b = t.b;
  const auto step = [&]() HWY_ATTR {
    const V b0 = hn::LoadU(d, b);
    const V b1 = hn::LoadU(d, b + kLanes);
    HWY_UNROLL(12)
    for (std::int64_t i = 0; i < rows; ++i) {
      const V x = hn::Set(d, a[i * row_stride]);
      acc[i][0] = hn::MulAdd(x, b0, acc[i][0]);
      acc[i][1] = hn::MulAdd(x, b1, acc[i][1]);
    }
    a += k_stride;
    b += t.b_k_stride;
  };
  std::int64_t k = t.k;
  for (; k >= 4; k -= 4) {
    step();
    step();
    step();
    step();
  }
  for (; k > 0; --k) step();
  store_tile<rows>(t, acc);
}

using Tile = void (*)(const MicroTile&);
template <bool packed, std::size_t... i>
constexpr std::array<Tile, sizeof...(i)> make_tiles(std::index_sequence<i...>) {
  return {tile_of<static_cast<std::int64_t>(i) + 1, packed>...};
}
constexpr auto kPackedTiles = make_tiles<true>(std::make_index_sequence<kMr>());
constexpr auto kPlainTiles = make_tiles<false>(std::make_index_sequence<kMr>());

void tile(const MicroTile& t) {
  const bool packed = t.a_row_stride == 1 && t.a_k_stride == kMr;
  const auto& tiles = packed ? kPackedTiles : kPlainTiles;
  tiles[static_cast<std::size_t>(t.rows - 1)](t);
}

void pack_a(const MatrixView& a, std::int64_t rows, std::int64_t k, float* out) {
  for (std::int64_t p = 0; p < rows; p += kMr) {
    const std::int64_t valid = std::min(kMr, rows - p);
    const float* from = a.data + p * a.row_stride;
    if (valid == kMr && a.row_stride == 1) {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        for (std::int64_t i = 0; i < kMr; ++i) out[kk * kMr + i] = from[kk * a.col_stride + i];
      }
    } else if (valid == kMr) {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        for (std::int64_t i = 0; i < kMr; ++i) {
          out[kk * kMr + i] = from[i * a.row_stride + kk * a.col_stride];
        }
      }
    } else {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        for (std::int64_t i = 0; i < kMr; ++i) {
          out[kk * kMr + i] = i < valid ? from[i * a.row_stride + kk * a.col_stride] : 0.0F;
        }
      }
    }
    out += k * kMr;
  }
}

void pack_b(const MatrixView& b, std::int64_t k, std::int64_t cols, float* out) {
  const D d;
  for (std::int64_t p = 0; p < cols; p += kNr) {
    const std::int64_t valid = std::min(kNr, cols - p);
    const float* from = b.data + p * b.col_stride;
    if (valid == kNr && b.col_stride == 1) {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        hn::StoreU(hn::LoadU(d, from + kk * b.row_stride), d, out + kk * kNr);
        hn::StoreU(hn::LoadU(d, from + kk * b.row_stride + kLanes), d, out + kk * kNr + kLanes);
      }
    } else {
      // Column by column: a transposed operand is then read along its rows.
      for (std::int64_t j = 0; j < kNr; ++j) {
        for (std::int64_t kk = 0; kk < k; ++kk) {
          out[kk * kNr + j] = j < valid ? from[kk * b.row_stride + j * b.col_stride] : 0.0F;
        }
      }
    }
    out += k * kNr;
  }
}

}  // namespace
const GemmTable kGemm{kMr, kNr, tile, pack_a, pack_b};
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spiraltorch::cpu {

const GemmTable& gemm_table() {
  static const SimdVersion<GemmTable> kVersions[] = {
#define SPIRALTORCH_SIMD_TABLE kGemm
#include "backend/cpu/simd/versions.inc"
  };
  return pick_version<GemmTable>(kVersions);
}

}  // namespace spiraltorch::cpu
#endif
