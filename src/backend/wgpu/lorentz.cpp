#include "backend/wgpu/ball.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "spiraltorch/runtime/lorentz_op.hpp"

// Operations of the hyperboloid: the ball's kernels with coefficients of their own
// (wgsl/lorentz_coefficients.wgsl).
namespace spiraltorch::wgpu {
namespace {

BallOp code_of(LorentzOp op) {
  return static_cast<BallOp>(static_cast<int>(BallOp::lorentz) + static_cast<int>(op));
}

// An operation of the ball whose numbers have the unit of this one's.
BallOp unit_of(LorentzOp op) {
  if (op == LorentzOp::squared_dist) return BallOp::squared_dist;
  return op == LorentzOp::conformal_factor ? BallOp::conformal_factor : BallOp::dist;
}

template <class Rows>
void set_slot(Rows& rows, char role, const KernelOperand& x) {
  (role == 'a' ? rows.a : role == 'b' ? rows.b : role == 'v' ? rows.v : rows.t) = &x;
}

BallRows rows_of(const LorentzInfo& info, const KernelArgs& args) {
  BallRows rows;
  for (std::size_t k = 0; k < info.roles.size(); ++k) set_slot(rows, info.roles[k], args.in[k]);
  if (info.op == LorentzOp::egrad2rgrad) rows.t = rows.v;  // its time column
  return rows;
}

BallParams params_of(const LorentzInfo& info, const BallRows& rows, double kappa) {
  BallParams params(unit_of(info.op), rows, kappa);
  params.cols = lorentz_space(info, params.cols);
  return params;
}

void lorentz_rows(const KernelArgs& args) {
  const LorentzInfo& info = lorentz_info(static_cast<LorentzOp>(args.ints[0]));
  const BallRows rows = rows_of(info, args);
  BallParams params = params_of(info, rows, args.scalars[0]);
  params.rows = args.out[0].rows;
  run_ball(code_of(info.op), rows, args, params);
}

void lorentz_rows_grad(const KernelArgs& args) {
  const LorentzInfo& info = lorentz_info(static_cast<LorentzOp>(args.ints[0]));
  const BallRows rows = rows_of(info, args);
  BallGradients gradients{.g = &args.in[info.roles.size()]};
  for (std::size_t k = 0, next = 0; k < info.roles.size(); ++k) {
    if ((args.ints[1] >> k & 1) != 0) set_slot(gradients, info.roles[k], args.out[next++]);
  }
  run_ball_gradient(device_of(args), code_of(info.op), rows, gradients,
                    params_of(info, rows, args.scalars[0]));
}

void lorentz_dist_matrix(const KernelArgs& args) {
  const BallRows rows{.a = &args.in[0], .b = &args.in[1]};
  BallParams params = params_of(lorentz_info(LorentzOp::dist), rows, args.scalars[0]);
  params.rows = args.out[0].size();
  params.a_divisor = params.b_modulus = args.out[0].cols;
  params.a_stride = params.b_stride = args.in[0].cols;
  run_ball(code_of(LorentzOp::dist), rows, args, params);
}

}  // namespace

void register_lorentz(KernelTable& table) {
  set_kernel(table, OpId::lorentz_rows, lorentz_rows);
  set_kernel(table, OpId::lorentz_rows_grad, lorentz_rows_grad);
  set_kernel(table, OpId::lorentz_dist_matrix, lorentz_dist_matrix);
}

}  // namespace spiraltorch::wgpu
