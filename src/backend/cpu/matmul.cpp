#include "backend/cpu/matmul.hpp"

#include <algorithm>
#include <limits>

#include "backend/cpu/allocator.hpp"
#include "backend/cpu/blas.hpp"
#include "backend/cpu/cpu.hpp"
#include "backend/cpu/simd/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

// Terms per pass at most: a packed panel of b (NR columns) and of a (MR rows) stay near the core.
constexpr std::int64_t kBlockK = 448;
constexpr std::int64_t kBlockRows = 144;   // rows of a per packed block: 147 KB, second level
constexpr std::int64_t kBlockCols = 3072;  // columns of b packed at a time: 3 MB, shared
constexpr std::int64_t kPlainWork = 96 * 96 * 96;  // below this packing costs more than it gains
constexpr std::int64_t kPlainDepth = 256;
constexpr std::int64_t kThreadWork = 1 << 21;  // multiplications worth waking a thread

// Packing space of one thread, kept for the next product.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() {
    if (data_ != nullptr) release(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* get(std::int64_t floats) {
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    if (bytes > bytes_) {
      void* fresh = allocate(bytes);
      if (data_ != nullptr) release(data_, bytes_);
      data_ = fresh;
      bytes_ = bytes;
    }
    return static_cast<float*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};
thread_local Scratch scratch_a;
thread_local Scratch scratch_b;

// What a tile at (i, j) does with its sums of the terms from k0 on.
MicroTile tile_at(const Product& p, std::int64_t i, std::int64_t j, std::int64_t rows,
                  std::int64_t k0, std::int64_t depth) {
  const bool last = k0 + depth == p.k;
  MicroTile tile{};
  tile.c = p.c + i * p.n + j;
  tile.c_stride = p.n;
  tile.rows = rows;
  tile.cols = std::min(gemm_table().tile_cols, p.n - j);
  tile.k = depth;
  tile.accumulate = p.accumulate || k0 > 0;
  tile.bias = last && p.bias != nullptr ? p.bias + j : nullptr;
  tile.relu = last && p.relu;
  return tile;
}

std::int64_t round_up(std::int64_t x, std::int64_t step) { return (x + step - 1) / step * step; }

// Terms per pass, about equally many each. They depend on k alone, so that every result element is
// summed in the same order whatever the threads.
std::int64_t depth_of(std::int64_t k) {
  const std::int64_t passes = (k + kBlockK - 1) / kBlockK;
  return round_up((k + passes - 1) / passes, 8);
}

// b as it lies where its rows do; its last, narrow panel, or all of a transposed one, is copied. a
// is read in place while its rows do not crowd a set of the first-level cache, else copied a block
// by block.
void multiply_plain(const Product& p) {
  const GemmTable& table = gemm_table();
  const std::int64_t mr = table.tile_rows;
  const std::int64_t nr = table.tile_cols;
  const std::int64_t whole = p.b.col_stride == 1 ? p.n / nr * nr : 0;
  float* edge = nullptr;
  if (whole < p.n) {
    edge = scratch_b.get(p.k * round_up(p.n - whole, nr));
    table.pack_b({p.b.data + whole * p.b.col_stride, p.b.row_stride, p.b.col_stride}, p.k,
                 p.n - whole, edge);
  }
  const std::int64_t most = depth_of(p.k);
  const bool in_place = p.k <= kPlainDepth && p.m * p.n * p.k <= kPlainWork;
  const std::int64_t panels = (p.m + mr - 1) / mr;
  const std::int64_t grain = std::max<std::int64_t>(1, kThreadWork / (mr * p.n * p.k));
  parallel_for(panels, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t i0 = begin * mr;
    const std::int64_t rows = std::min(p.m, end * mr) - i0;
    float* packed = in_place ? nullptr : scratch_a.get(round_up(rows, mr) * most);
    for (std::int64_t k0 = 0; k0 < p.k; k0 += most) {
      const std::int64_t depth = std::min(most, p.k - k0);
      const MatrixView a{p.a.data + i0 * p.a.row_stride + k0 * p.a.col_stride, p.a.row_stride,
                         p.a.col_stride};
      if (!in_place) table.pack_a(a, rows, depth, packed);
      for (std::int64_t j = 0; j < p.n; j += nr) {
        const bool inside = j < whole;
        const float* b =
            inside ? p.b.data + k0 * p.b.row_stride + j : edge + (j - whole) * p.k + k0 * nr;
        for (std::int64_t i = 0; i < rows; i += mr) {
          MicroTile tile = tile_at(p, i0 + i, j, std::min(mr, rows - i), k0, depth);
          tile.a = in_place ? a.data + i * a.row_stride : packed + i * depth;
          tile.a_row_stride = in_place ? a.row_stride : 1;
          tile.a_k_stride = in_place ? a.col_stride : mr;
          tile.b = b;
          tile.b_k_stride = inside ? p.b.row_stride : nr;
          table.tile(tile);
        }
      }
    }
  });
}

// One packed block of rows times the packed columns.
void multiply_block(const Product& p, const float* packed_b, std::int64_t i0, std::int64_t rows,
                    const std::int64_t (&at)[4]) {
  const auto [j0, cols, k0, depth] = at;
  const GemmTable& table = gemm_table();
  const std::int64_t mr = table.tile_rows;
  const std::int64_t nr = table.tile_cols;
  float* packed_a = scratch_a.get(round_up(kBlockRows, mr) * kBlockK);
  table.pack_a(
      {p.a.data + i0 * p.a.row_stride + k0 * p.a.col_stride, p.a.row_stride, p.a.col_stride}, rows,
      depth, packed_a);
  for (std::int64_t j = 0; j < cols; j += nr) {
    for (std::int64_t i = 0; i < rows; i += mr) {
      MicroTile tile = tile_at(p, i0 + i, j0 + j, std::min(mr, rows - i), k0, depth);
      tile.a = packed_a + i * depth;
      tile.a_row_stride = 1;
      tile.a_k_stride = mr;
      tile.b = packed_b + j * depth;
      tile.b_k_stride = nr;
      table.tile(tile);
    }
  }
}

void multiply_packed(const Product& p) {
  const GemmTable& table = gemm_table();
  const std::int64_t nr = table.tile_cols;
  const std::int64_t mr = table.tile_rows;
  const std::int64_t most = depth_of(p.k);
  float* packed_b = scratch_b.get(round_up(std::min(p.n, kBlockCols), nr) * most);
  // Enough blocks of rows for every thread to have the same number.
  const std::int64_t rounds =
      (p.m + kBlockRows * thread_count() - 1) / (kBlockRows * thread_count());
  const std::int64_t block = std::min(
      kBlockRows, round_up((p.m + rounds * thread_count() - 1) / (rounds * thread_count()), mr));
  const bool inline_all = p.m * p.n * p.k < 2 * kThreadWork;
  for (std::int64_t j0 = 0; j0 < p.n; j0 += kBlockCols) {
    const std::int64_t cols = std::min(kBlockCols, p.n - j0);
    for (std::int64_t k0 = 0; k0 < p.k; k0 += most) {
      const std::int64_t depth = std::min(most, p.k - k0);
      const std::int64_t panels = (cols + nr - 1) / nr;
      parallel_for(panels, std::max<std::int64_t>(1, 65536 / (nr * depth)),
                   [&](std::int64_t begin, std::int64_t end) {
                     const std::int64_t j = j0 + begin * nr;
                     table.pack_b({p.b.data + k0 * p.b.row_stride + j * p.b.col_stride,
                                   p.b.row_stride, p.b.col_stride},
                                  depth, std::min(end * nr, cols) - begin * nr,
                                  packed_b + begin * nr * depth);
                   });
      const std::int64_t at[4] = {j0, cols, k0, depth};
      const auto run = [&](std::int64_t, std::int64_t i0, std::int64_t i1) {
        multiply_block(p, packed_b, i0, i1 - i0, at);
      };
      parallel_blocks(p.m, inline_all ? std::min(kBlockRows, p.m) : block, run);
    }
  }
}

void multiply_any(const Product& p) {
  const std::int64_t work = p.m * p.n * p.k;
  const bool plain_b = p.b.col_stride == 1;
  if (work <= kPlainWork || (plain_b && p.m <= 2 * gemm_table().tile_rows)) {
    return multiply_plain(p);
  }
  multiply_packed(p);
}

// The bias and the cut where the product itself did neither.
void finish(const Product& p) {
  if (p.bias == nullptr && !p.relu) return;
  for (std::int64_t i = 0; i < p.m; ++i) {
    float* row = p.c + i * p.n;
    for (std::int64_t j = 0; j < p.n; ++j) {
      const float v = p.bias == nullptr ? row[j] : row[j] + p.bias[j];
      row[j] = p.relu && v < 0.0F ? 0.0F : v;
    }
  }
}

void multiply_external(Sgemm sgemm, const Product& p) {
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  const auto number = [](std::int64_t v) { return static_cast<int>(v); };
  // Of a matrix with one row or column either reading is right; its stride must hold a row.
  const auto stride = [&](const MatrixView& x, std::int64_t rows, std::int64_t cols) {
    return number(x.col_stride == 1 ? std::max(x.row_stride, cols) : std::max(x.col_stride, rows));
  };
  sgemm(kRowMajor, p.a.col_stride == 1 ? kPlain : kTransposed,
        p.b.col_stride == 1 ? kPlain : kTransposed, number(p.m), number(p.n), number(p.k), 1.0F,
        p.a.data, stride(p.a, p.m, p.k), p.b.data, stride(p.b, p.k, p.n),
        p.accumulate ? 1.0F : 0.0F, p.c, number(p.n));
  finish(p);
}

// A column result: one inner product a row.
void multiply_column(const Product& p) {
  parallel_for(p.m, std::max<std::int64_t>(1, kParallelGrain / p.k),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const auto v = static_cast<float>(
                       reduce_table().dot(p.a.data + i * p.a.row_stride, p.b.data, p.k));
                   p.c[i] = p.accumulate ? p.c[i] + v : v;
                 }
               });
  finish(p);
}

void matmul(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.in[1];
  const bool ta = args.ints[0] != 0;
  const KernelOperand& out = args.out[0];
  multiply({.a = view_of(data<const float>(x), x.cols, ta),
            .b = view_of(data<const float>(y), y.cols, args.ints[1] != 0),
            .c = data<float>(out),
            .m = out.rows,
            .n = out.cols,
            .k = ta ? x.rows : x.cols,
            .accumulate = args.ints[2] != 0});
}

}  // namespace

void multiply(const Product& p) {
  if (const Sgemm sgemm = external_sgemm()) {
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    if (std::max({p.m, p.n, p.k}) <= kMost) return multiply_external(sgemm, p);
  }
  const bool ta = p.a.col_stride != 1 && p.k > 1;
  if (p.n == 1 && !ta) return multiply_column(p);
  if (p.n == 1) {  // aᵀ·x = (xᵀ·a)ᵀ, and both vectors lie flat either way
    const Product flat{
        {p.b.data, 1, 1}, {p.a.data, p.a.col_stride, p.a.row_stride}, p.c, 1, p.m, p.k,
        p.accumulate};
    multiply_any(flat);
    return finish(p);
  }
  multiply_any(p);
}

void register_matmul(KernelTable& table) { set_kernel(table, OpId::matmul, matmul); }

}  // namespace spiraltorch::cpu
