#include <algorithm>

#include "backend/cpu/cpu.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

void fill(const KernelArgs& args) {
  auto* out = data<float>(args.out[0]);
  const auto value = static_cast<float>(args.scalars[0]);
  parallel_for(args.out[0].size(), kParallelGrain, [&](std::int64_t begin, std::int64_t end) {
    std::fill(out + begin, out + end, value);
  });
}

// Square tiles, so that both sides use whole cache lines.
void transpose(const KernelArgs& args) {
  constexpr std::int64_t kTile = 32;
  const KernelOperand& x = args.in[0];
  const auto* in = data<const float>(x);
  auto* out = data<float>(args.out[0]);
  const std::int64_t tiles = (x.rows + kTile - 1) / kTile;
  parallel_for(tiles, std::max<std::int64_t>(1, kParallelGrain / (kTile * x.cols)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i0 = begin * kTile; i0 < std::min(x.rows, end * kTile);
                      i0 += kTile) {
                   const std::int64_t i1 = std::min(x.rows, i0 + kTile);
                   for (std::int64_t j0 = 0; j0 < x.cols; j0 += kTile) {
                     const std::int64_t j1 = std::min(x.cols, j0 + kTile);
                     for (std::int64_t j = j0; j < j1; ++j) {
                       for (std::int64_t i = i0; i < i1; ++i)
                         out[j * x.rows + i] = in[i * x.cols + j];
                     }
                   }
                 }
               });
}

void slice(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.out[0];
  const std::int64_t row0 = args.ints[0], row_step = args.ints[1];
  const std::int64_t col0 = args.ints[2], col_step = args.ints[3];
  parallel_for(y.rows, std::max<std::int64_t>(1, kParallelGrain / y.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const float* from = data<const float>(x) + (row0 + i * row_step) * x.cols + col0;
                   float* to = data<float>(y) + i * y.cols;
                   if (col_step == 1) {
                     std::copy(from, from + y.cols, to);
                   } else {
                     for (std::int64_t j = 0; j < y.cols; ++j) to[j] = from[j * col_step];
                   }
                 }
               });
}

void slice_assign(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.out[0];
  const std::int64_t row0 = args.ints[0], row_step = args.ints[1], rows = args.ints[2];
  const std::int64_t col0 = args.ints[3], col_step = args.ints[4], cols = args.ints[5];
  parallel_for(rows, std::max<std::int64_t>(1, kParallelGrain / cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const float* from = data<const float>(x) + i * x.row_stride;
                   float* to = data<float>(y) + (row0 + i * row_step) * y.cols + col0;
                   for (std::int64_t j = 0; j < cols; ++j)
                     to[j * col_step] = from[j * x.col_stride];
                 }
               });
}

void complex_plane(const KernelArgs& args) {
  const auto* in = data<const float>(args.in[0]) + args.ints[0];
  auto* out = data<float>(args.out[0]);
  parallel_for(args.out[0].size(), kParallelGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = in[2 * i];
  });
}

void complex_join(const KernelArgs& args) {
  const auto* re = data<const float>(args.in[0]);
  const auto* im = data<const float>(args.in[1]);
  auto* out = data<float>(args.out[0]);
  parallel_for(args.in[0].size(), kParallelGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      out[2 * i] = re[i];
      out[2 * i + 1] = im[i];
    }
  });
}

void philox_uniform(const KernelArgs& args) {
  const auto seed = static_cast<std::uint64_t>(args.ints[0]);
  const auto first = static_cast<std::uint64_t>(args.ints[1]);
  auto* out = data<float>(args.out[0]);
  const std::int64_t n = args.out[0].size();
  parallel_for((n + 3) / 4, kParallelGrain / 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const auto words = philox_block(seed, first + static_cast<std::uint64_t>(b));
      const std::int64_t count = std::min<std::int64_t>(4, n - 4 * b);
      for (std::int64_t i = 0; i < count; ++i) {
        out[4 * b + i] = uniform_from_word(words[static_cast<std::size_t>(i)]);
      }
    }
  });
}

}  // namespace

void register_data(KernelTable& table) {
  set_kernel(table, OpId::fill, fill);
  set_kernel(table, OpId::transpose, transpose);
  set_kernel(table, OpId::slice, slice);
  set_kernel(table, OpId::slice_assign, slice_assign);
  set_kernel(table, OpId::complex_plane, complex_plane);
  set_kernel(table, OpId::complex_join, complex_join);
  set_kernel(table, OpId::philox_uniform, philox_uniform);
}

}  // namespace spiraltorch::cpu
