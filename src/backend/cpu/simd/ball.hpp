#pragma once

#include <array>
#include <cstdint>

// Row-wise operations of the Poincaré ball. Every result row is a linear combination of its operand
// rows whose coefficients are functions of their inner products, so a block of rows is worked on in
// three steps: inner products, coefficients, combination, each vectorised across rows in double.
namespace spiraltorch::cpu {

enum class BallOp : std::uint8_t {
  project,
  import,
  expmap0,
  logmap0,
  mobius_add,
  mobius_scalar,
  expmap,
  logmap,
  gyration,
  parallel_transport,
  dist,
  conformal_factor,
  egrad2rgrad,
  geodesic,
  sgd_step,
  count_
};

/// Rows [0, rows) of one operation. Operand k's row r is at in[k] + r·stride[k] (0: repeated).
struct BallJob {
  std::array<const float*, 3> in{};
  std::array<std::int64_t, 3> stride{};
  const float* t = nullptr;  ///< one number a row, or one for all
  std::int64_t t_stride = 0;
  void* out = nullptr;
  bool wide_out = false;  ///< scalar results as double
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  double kappa = 1.0;
  double rate = 0.0;  ///< of sgd_step
  bool squared = false;
};

struct BallTable {
  std::array<void (*)(const BallJob&), static_cast<std::size_t>(BallOp::count_)> rows;
  /// Distances of every row of in[0] to every row of in[1] (`other_rows` of them); out is
  /// rows×other_rows.
  void (*dist_matrix)(const BallJob& job, std::int64_t other_rows);
};

[[nodiscard]] const BallTable& ball_table();

}  // namespace spiraltorch::cpu
