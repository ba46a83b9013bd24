#pragma once

#include <cstdint>

#include "backend/wgpu/task.hpp"

// Operations of the Poincaré ball: numbers are pairs of float32 (wgsl/pair.wgsl), rows are scaled
// by powers of two so that the curvature lies in [1, 4).
namespace spiraltorch::wgpu {

/// Values of OP in wgsl/ball_coefficients.wgsl.
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
  squared_dist,
  conformal_factor,
  egrad2rgrad,
  geodesic,
  to_lorentz,
  sgd_step,
  weighted,
  lorentz,  ///< the first of LorentzOp
};

/// Operand rows by role; null where an operation has none. Transports turn about their target: y
/// is a, and b is x.
struct BallRows {
  const KernelOperand* a = nullptr;
  const KernelOperand* b = nullptr;
  const KernelOperand* v = nullptr;
  const KernelOperand* t = nullptr;
};

/// The Params of wgsl/ball_rows.wgsl.
struct BallParams {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t groups = 0;
  std::int64_t a_divisor = 1;
  std::int64_t b_modulus = 0xFFFFFFFF;
  std::int64_t a_stride = 0;
  std::int64_t b_stride = 0;
  std::int64_t v_stride = 0;
  std::int64_t t_stride = 0;
  std::int64_t g_stride = 0;
  std::int64_t wanted = 0;
  bool wide_out = false;
  bool wide_rows = false;  ///< rows a are pairs of float32
  int shift = 0;
  int v_shift = 0;
  int number_shift = 0;
  double kappa = 1.0;
  double rate = 1.0;
  double number = 1.0;
  double g_number = 0.0;
  std::int64_t blocks = 1;  ///< of wgsl/ball_sum.wgsl
  std::int64_t block_rows = 0;
  std::int64_t first = 0;  ///< row of a that the first sum belongs to

  /// Scales, and strides of the rows.
  BallParams(BallOp op, const BallRows& operands, double curvature, double learning_rate = 1.0);
  void add_to(Task& task) const;
};

/// Threads a row, and rows a workgroup of `workgroup` threads.
[[nodiscard]] inline std::int64_t ball_lanes(std::int64_t cols) { return cols > 512 ? 64 : 8; }

/// Binds a, b, v and t, with a in the place of what is not there.
void bind_rows(Task& task, const BallRows& rows);

/// Results of params.rows rows.
void run_ball(BallOp op, const BallRows& operands, const KernelArgs& args, BallParams params);

/// A row-wise gradient: g, and outputs by role, null where not wanted.
struct BallGradients {
  const KernelOperand* g = nullptr;
  const KernelOperand* a = nullptr;
  const KernelOperand* b = nullptr;
  const KernelOperand* v = nullptr;
  const KernelOperand* t = nullptr;
};

/// Gradients of g.rows rows.
void run_ball_gradient(Device& device, BallOp op, const BallRows& rows,
                       const BallGradients& gradients, BallParams params);

}  // namespace spiraltorch::wgpu
