#include <memory>

#include "backend/wgpu/temporary.hpp"
#include "backend/wgpu/wgpu.hpp"

// nn.PoincareLinear from the kernels of its parts.
namespace spiraltorch::wgpu {
namespace {

KernelOperand repeated(KernelOperand row, std::int64_t rows) {
  row.rows = rows;
  row.row_stride = 0;
  return row;
}

void poincare_linear(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.out[0];
  const KernelOperand& t = args.out[1];
  const double kappa = args.scalars[0];
  const Temporary logs(x, {x.rows, x.cols});
  run_op(OpId::ball_logmap0, {x}, {logs.operand}, {}, {kappa});
  run_op(OpId::matmul, {logs.operand, args.in[1]}, {t}, {0, 0, 0});
  if (args.in.size() == 2) return run_op(OpId::ball_expmap0, {t}, {y}, {}, {kappa});
  const Temporary moved(x, {y.rows, y.cols});
  run_op(OpId::ball_expmap0, {t}, {moved.operand}, {}, {kappa});
  run_op(OpId::ball_mobius_add, {moved.operand, repeated(args.in[2], y.rows)}, {y}, {}, {kappa});
}

void unary_gradient(OpId op, const KernelOperand& x, const KernelOperand& g,
                    const KernelOperand& out, double kappa) {
  run_op(OpId::ball_grad, {x, g}, {out}, {static_cast<std::int64_t>(op), 0, 1}, {kappa});
}

// The gradient by exp0(t), from the one behind b's addition; b's own, if wanted.
void bias_gradient(const KernelOperand& t, const KernelOperand& b, const KernelOperand& g,
                   const KernelOperand& out, const KernelOperand* by_b, double kappa) {
  const Temporary moved(t, {t.rows, t.cols});
  const Temporary each(t, {t.rows, t.cols});
  run_op(OpId::ball_expmap0, {t}, {moved.operand}, {}, {kappa});
  run_op(OpId::ball_grad, {moved.operand, repeated(b, t.rows), g}, {out, each.operand},
         {static_cast<std::int64_t>(OpId::ball_mobius_add), 0, 3}, {kappa});
  if (by_b != nullptr) run_op(OpId::sum, {each.operand}, {*by_b}, {0});
}

void poincare_linear_grad(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& w = args.in[1];
  const bool has_b = args.in.size() > 4;
  const KernelOperand& t = args.in[has_b ? 3 : 2];
  KernelOperand g = args.in[has_b ? 4 : 3];
  const double kappa = args.scalars[0];
  const std::int64_t wanted = args.ints[0];
  const KernelOperand* next = args.out.data();
  const KernelOperand* by_x = (wanted & 1) != 0 ? next++ : nullptr;
  const KernelOperand* by_w = (wanted & 2) != 0 ? next++ : nullptr;
  const KernelOperand* by_b = (wanted & 4) != 0 ? next++ : nullptr;
  const Temporary by_moved(t, {t.rows, t.cols});
  if (has_b) {
    bias_gradient(t, args.in[2], g, by_moved.operand, by_b, kappa);
    g = by_moved.operand;
  }
  if (by_x == nullptr && by_w == nullptr) return;
  const Temporary by_t(t, {t.rows, t.cols});
  unary_gradient(OpId::ball_expmap0, t, g, by_t.operand, kappa);
  const Temporary rows(x, {x.rows, x.cols});
  if (by_w != nullptr) {
    run_op(OpId::ball_logmap0, {x}, {rows.operand}, {}, {kappa});
    run_op(OpId::matmul, {rows.operand, by_t.operand}, {*by_w}, {1, 0, 0});
  }
  if (by_x == nullptr) return;
  run_op(OpId::matmul, {by_t.operand, w}, {rows.operand}, {0, 1, 0});
  unary_gradient(OpId::ball_logmap0, x, rows.operand, *by_x, kappa);
}

}  // namespace

void register_affine(KernelTable& table) {
  set_kernel(table, OpId::poincare_linear, poincare_linear);
  set_kernel(table, OpId::poincare_linear_grad, poincare_linear_grad);
}

}  // namespace spiraltorch::wgpu
