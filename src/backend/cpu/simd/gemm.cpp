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

// Adds what is there and the bias, cuts off what is negative: in that order, and a NaN stays.
template <bool accumulate>
HWY_INLINE V finished(const MicroTile& t, V sum, V before, V bias) {
  if (accumulate) sum = hn::Add(sum, before);
  if (t.bias != nullptr) sum = hn::Add(sum, bias);
  return t.relu ? hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(D())), sum) : sum;
}

template <std::int64_t rows, std::int64_t vectors, bool accumulate>
HWY_INLINE void store_whole(const MicroTile& t, const V (&acc)[rows][vectors]) {
  const D d;
  const V zero = hn::Zero(d);
  for (std::int64_t v = 0; v < vectors; ++v) {
    const V bias = t.bias == nullptr ? zero : hn::LoadU(d, t.bias + v * kLanes);
    float* c = t.c + v * kLanes;
    HWY_UNROLL(12)
    for (std::int64_t i = 0; i < rows; ++i, c += t.c_stride) {
      hn::StoreU(finished<accumulate>(t, acc[i][v], accumulate ? hn::LoadU(d, c) : zero, bias), d,
                 c);
    }
  }
}

// Columns that do not fill the vectors, from the sums in memory.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2  // masked lanes are not touched
template <std::int64_t rows, std::int64_t vectors>
void store_part(const MicroTile& t, float* sums) {
  const D d;
  const V zero = hn::Zero(d);
  for (std::int64_t v = 0; v < vectors; ++v) {
    const std::int64_t left = std::max<std::int64_t>(0, t.cols - v * kLanes);
    const auto valid = hn::FirstN(d, static_cast<std::size_t>(left));
    const V bias = t.bias == nullptr ? zero : hn::MaskedLoad(valid, d, t.bias + v * kLanes);
    float* c = t.c + v * kLanes;
    for (std::int64_t i = 0; i < rows; ++i, c += t.c_stride) {
      const V sum = hn::Load(d, sums + (i * vectors + v) * kLanes);
      const V before = t.accumulate ? hn::MaskedLoad(valid, d, c) : zero;
      hn::BlendedStore(t.accumulate ? finished<true>(t, sum, before, bias)
                                    : finished<false>(t, sum, before, bias),
                       valid, d, c);
    }
  }
}
#else
template <std::int64_t rows, std::int64_t vectors>
void store_part(const MicroTile& t, float* sums) {
  constexpr std::int64_t kWidth = vectors * kLanes;
  const std::int64_t cols = std::min(t.cols, kWidth);
  for (std::int64_t i = 0; i < rows; ++i) {
    float* c = t.c + i * t.c_stride;
    for (std::int64_t j = 0; j < cols; ++j) {
      float sum = sums[i * kWidth + j];
      if (t.accumulate) sum += c[j];
      if (t.bias != nullptr) sum += t.bias[j];
      c[j] = t.relu && sum < 0.0F ? 0.0F : sum;
    }
  }
}
#endif

template <std::int64_t rows, std::int64_t vectors>
HWY_INLINE void store_tile(const MicroTile& t, const V (&acc)[rows][vectors]) {
  constexpr std::int64_t kWidth = vectors * kLanes;
  if (t.cols == kWidth) {
    return t.accumulate ? store_whole<rows, vectors, true>(t, acc)
                        : store_whole<rows, vectors, false>(t, acc);
  }
  HWY_ALIGN float sums[rows * kWidth];
  HWY_UNROLL(12)
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t v = 0; v < vectors; ++v) {
      hn::Store(acc[i][v], D(), sums + i * kWidth + v * kLanes);
    }
  }
  store_part<rows, vectors>(t, sums);
}

// How the rows of a lie: beside each other, so that offsets are constants, or a stride apart; then
// every third has a pointer, which reaches two more by scaled addresses.
enum class Rows : std::uint8_t { adjacent, strided };

template <std::int64_t rows, std::int64_t vectors, Rows lie>
void tile_of(const MicroTile& t) {
  const D d;
  V acc[rows][vectors];
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t v = 0; v < vectors; ++v) acc[i][v] = hn::Zero(d);
  }
  constexpr std::int64_t kThirds = lie == Rows::adjacent ? 1 : (rows + 2) / 3;
  const std::int64_t stride = t.a_row_stride;
  const std::int64_t k_stride = t.a_k_stride;
  const float* a[kThirds];
  for (std::int64_t i = 0; i < kThirds; ++i) a[i] = t.a + 3 * i * stride;
  const float* b = t.b;
  for (std::int64_t k = t.k; k > 0; --k) {
    V right[vectors];
    for (std::int64_t v = 0; v < vectors; ++v) right[v] = hn::LoadU(d, b + v * kLanes);
    HWY_UNROLL(12)
    for (std::int64_t i = 0; i < rows; ++i) {
      const V x = hn::Set(d, lie == Rows::adjacent ? a[0][i] : a[i / 3][i % 3 * stride]);
      for (std::int64_t v = 0; v < vectors; ++v) acc[i][v] = hn::MulAdd(x, right[v], acc[i][v]);
    }
    for (std::int64_t i = 0; i < kThirds; ++i) a[i] += k_stride;
    b += t.b_k_stride;
  }
  store_tile<rows, vectors>(t, acc);
}

using Tile = void (*)(const MicroTile&);
template <std::int64_t vectors, Rows lie, std::size_t... i>
constexpr std::array<Tile, sizeof...(i)> make_tiles(std::index_sequence<i...>) {
  return {tile_of<static_cast<std::int64_t>(i) + 1, vectors, lie>...};
}
template <std::int64_t vectors, Rows lie>
constexpr auto kTiles = make_tiles<vectors, lie>(std::make_index_sequence<kMr>());

void tile(const MicroTile& t) {
  const auto i = static_cast<std::size_t>(t.rows - 1);
  const bool narrow = t.cols <= kLanes;
  if (t.a_row_stride == 1) {
    return (narrow ? kTiles<1, Rows::adjacent> : kTiles<2, Rows::adjacent>)[i](t);
  }
  return (narrow ? kTiles<1, Rows::strided> : kTiles<2, Rows::strided>)[i](t);
}

// out[kk·width + i] = from[i·stride + kk] for i < count, kk < k: a panel from lines that lie along
// k. Four by four through registers, the rest one by one.
template <std::int64_t width>
void pack_lines(const float* from, std::int64_t stride, std::int64_t count, std::int64_t k,
                float* out) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  using Four = hn::FixedTag<float, 4>;
  const Four d;
  for (; i + 4 <= count; i += 4) {
    const float* line = from + i * stride;
    std::int64_t kk = 0;
    for (; kk + 4 <= k; kk += 4) {
      const auto a0 = hn::LoadU(d, line + kk);
      const auto a1 = hn::LoadU(d, line + stride + kk);
      const auto a2 = hn::LoadU(d, line + 2 * stride + kk);
      const auto a3 = hn::LoadU(d, line + 3 * stride + kk);
      const auto low01 = hn::InterleaveLower(d, a0, a1);
      const auto low23 = hn::InterleaveLower(d, a2, a3);
      const auto up01 = hn::InterleaveUpper(d, a0, a1);
      const auto up23 = hn::InterleaveUpper(d, a2, a3);
      float* to = out + kk * width + i;
      hn::StoreU(hn::ConcatLowerLower(d, low23, low01), d, to);
      hn::StoreU(hn::ConcatUpperUpper(d, low23, low01), d, to + width);
      hn::StoreU(hn::ConcatLowerLower(d, up23, up01), d, to + 2 * width);
      hn::StoreU(hn::ConcatUpperUpper(d, up23, up01), d, to + 3 * width);
    }
    for (; kk < k; ++kk) {
      for (std::int64_t j = 0; j < 4; ++j) out[kk * width + i + j] = line[j * stride + kk];
    }
  }
#endif
  for (; i < count; ++i) {
    for (std::int64_t kk = 0; kk < k; ++kk) out[kk * width + i] = from[i * stride + kk];
  }
  for (; i < width; ++i) {
    for (std::int64_t kk = 0; kk < k; ++kk) out[kk * width + i] = 0.0F;
  }
}

// out[kk·width + i] = from[kk·stride + i] for i < count: a panel from lines that lie across k.
template <std::int64_t width>
void pack_across(const float* from, std::int64_t stride, std::int64_t count, std::int64_t k,
                 float* out) {
  for (std::int64_t kk = 0; kk < k; ++kk) {
    float* to = out + kk * width;
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[kk * stride + i];
    for (std::int64_t i = count; i < width; ++i) to[i] = 0.0F;
  }
}

void pack_a(const MatrixView& a, std::int64_t rows, std::int64_t k, float* out) {
  for (std::int64_t p = 0; p < rows; p += kMr, out += k * kMr) {
    const std::int64_t valid = std::min(kMr, rows - p);
    const float* from = a.data + p * a.row_stride;
    if (a.col_stride == 1) {
      pack_lines<kMr>(from, a.row_stride, valid, k, out);
    } else if (valid == kMr) {
      pack_across<kMr>(from, a.col_stride, kMr, k, out);
    } else {
      pack_across<kMr>(from, a.col_stride, valid, k, out);
    }
  }
}

// A row's valid columns, zeros behind them; `room` floats may be read.
HWY_INLINE void pack_edge(const float* from, std::int64_t valid, std::int64_t room, float* out) {
  const D d;
  for (std::int64_t j = 0; j < kNr; j += kLanes) {
    const std::int64_t left = std::max<std::int64_t>(0, valid - j);
    if (j + kLanes <= room) {
      const auto inside = hn::FirstN(d, static_cast<std::size_t>(left));
      hn::StoreU(hn::IfThenElseZero(inside, hn::LoadU(d, from + j)), d, out + j);
    } else {
      for (std::int64_t i = 0; i < kLanes; ++i) out[j + i] = i < left ? from[j + i] : 0.0F;
    }
  }
}

void pack_b(const MatrixView& b, std::int64_t k, std::int64_t cols, float* out) {
  const D d;
  for (std::int64_t p = 0; p < cols; p += kNr, out += k * kNr) {
    const std::int64_t valid = std::min(kNr, cols - p);
    const float* from = b.data + p * b.col_stride;
    if (b.col_stride != 1) {
      pack_lines<kNr>(from, b.col_stride, valid, k, out);
    } else if (valid == kNr) {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        hn::StoreU(hn::LoadU(d, from + kk * b.row_stride), d, out + kk * kNr);
        hn::StoreU(hn::LoadU(d, from + kk * b.row_stride + kLanes), d, out + kk * kNr + kLanes);
      }
    } else {
      for (std::int64_t kk = 0; kk < k; ++kk) {
        pack_edge(from + kk * b.row_stride, valid, (k - 1 - kk) * b.row_stride + valid,
                  out + kk * kNr);
      }
    }
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
