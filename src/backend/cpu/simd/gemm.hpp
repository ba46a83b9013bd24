#pragma once

#include <cstdint>

// The inner parts of the matrix product, one version per instruction set. The layout follows Goto &
// van de Geijn (ACM TOMS 2008): a micro-kernel keeps an MR×NR block of the result in registers and
// walks along k.
namespace spiraltorch::cpu {

/// op(X): element (i, j) is at data[i·row_stride + j·col_stride].
struct MatrixView {
  const float* data;
  std::int64_t row_stride;
  std::int64_t col_stride;
};

/// One call of the micro-kernel: result block (rows×cols valid) of k terms. To the sums are added
/// what c holds, if `accumulate`, and `bias`; with `relu` negative results become 0.
struct MicroTile {
  const float* a;
  std::int64_t a_row_stride;
  std::int64_t a_k_stride;
  const float* b;
  std::int64_t b_k_stride;  ///< NR consecutive columns per k
  float* c;
  std::int64_t c_stride;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t k;
  bool accumulate;
  const float* bias = nullptr;  ///< cols of them, or none
  bool relu = false;
};

struct GemmTable {
  std::int64_t tile_rows;  ///< MR
  std::int64_t tile_cols;  ///< NR
  void (*tile)(const MicroTile& tile);
  /// rows×k of op(a) in panels of MR rows, zero-padded: panel p, then k, then row.
  void (*pack_a)(const MatrixView& a, std::int64_t rows, std::int64_t k, float* out);
  /// k×cols of op(b) in panels of NR columns, zero-padded: panel p, then k, then column.
  void (*pack_b)(const MatrixView& b, std::int64_t k, std::int64_t cols, float* out);
};

[[nodiscard]] const GemmTable& gemm_table();

}  // namespace spiraltorch::cpu
