#include "backend/wgpu/ball.hpp"

#include <cmath>

#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

const Shader kForward{
    "ball",
    {wgsl::pair, wgsl::pair_math, wgsl::ball_number, wgsl::ball_coefficients,
     wgsl::lorentz_coefficients, wgsl::ball_rows, wgsl::ball_forward, wgsl::ball_main}};

}  // namespace

void run_ball(BallOp op, const BallRows& operands, const KernelArgs& args, BallParams params) {
  constexpr std::int64_t kWorkgroup = 256;
  const std::int64_t lanes = ball_lanes(params.cols);
  const std::int64_t rows = kWorkgroup / lanes;
  params.groups = (params.rows + rows - 1) / rows;
  params.wide_out = args.out[0].type == ElementType::f64;
  Task task(device_of(args), kForward,
            {{"WG", kWorkgroup},
             {"LANES", lanes},
             {"OP", static_cast<std::int64_t>(op)},
             {"WIDE", 0},
             {"GRADIENT", 0}});
  bind_rows(task, operands);
  task.bind(args.out[0]);
  params.add_to(task);
  task.run(static_cast<std::uint64_t>(params.groups));
}

namespace {

void run(BallOp op, const BallRows& operands, const KernelArgs& args, double rate = 1.0) {
  BallParams params(op, operands, args.scalars[0], rate);
  params.rows = args.out[0].rows;
  run_ball(op, operands, args, params);
}

template <BallOp op>
void unary(const KernelArgs& args) {
  run(op, {.a = &args.in[0]}, args);
}

template <BallOp op>
void with_point(const KernelArgs& args) {
  run(op, {.a = &args.in[0], .b = &args.in[1]}, args);
}

template <BallOp op>
void with_vector(const KernelArgs& args) {
  run(op, {.a = &args.in[0], .v = &args.in[1]}, args);
}

void mobius_scalar(const KernelArgs& args) {
  run(BallOp::mobius_scalar, {.a = &args.in[1], .t = &args.in[0]}, args);
}

void gyration(const KernelArgs& args) {
  run(BallOp::gyration, {.a = &args.in[0], .b = &args.in[1], .v = &args.in[2]}, args);
}

void parallel_transport(const KernelArgs& args) {
  run(BallOp::parallel_transport, {.a = &args.in[1], .b = &args.in[0], .v = &args.in[2]}, args);
}

void geodesic(const KernelArgs& args) {
  run(BallOp::geodesic, {.a = &args.in[0], .b = &args.in[1], .t = &args.in[2]}, args);
}

void dist(const KernelArgs& args) {
  run(args.ints[0] != 0 ? BallOp::squared_dist : BallOp::dist, {.a = &args.in[0], .b = &args.in[1]},
      args);
}

void dist_matrix(const KernelArgs& args) {
  const BallRows operands{.a = &args.in[0], .b = &args.in[1]};
  BallParams params(BallOp::dist, operands, args.scalars[0]);
  params.rows = args.out[0].size();
  params.a_divisor = params.b_modulus = args.out[0].cols;
  params.a_stride = params.b_stride = params.cols;
  run_ball(BallOp::dist, operands, args, params);
}

void sgd_step(const KernelArgs& args) {
  run(BallOp::sgd_step, {.a = &args.in[0], .v = &args.in[1]}, args, args.scalars[1]);
}

// A number as two float32.
void add_pair(Task& task, double value) {
  task.f(value).f(value - static_cast<double>(static_cast<float>(value)));
}

std::int64_t stride_of(const KernelOperand* x) { return x == nullptr ? 0 : x->row_stride; }

}  // namespace

BallParams::BallParams(BallOp op, const BallRows& operands, double curvature, double learning_rate)
    : cols(operands.a->cols),
      a_stride(operands.a->row_stride),
      b_stride(stride_of(operands.b)),
      v_stride(stride_of(operands.v)),
      t_stride(stride_of(operands.t)) {
  shift = static_cast<int>(std::floor(std::log2(curvature) / 2.0));
  kappa = std::ldexp(curvature, -2 * shift);
  v_shift = shift;
  if (op == BallOp::sgd_step) {  // the rate's power of two goes into the scale of the gradient
    int power = 0;
    rate = std::frexp(learning_rate, &power);
    v_shift += power;
  }
  if (op == BallOp::dist || op == BallOp::to_lorentz) {
    number = 1.0 / std::sqrt(kappa);
    number_shift = -shift;
  } else if (op == BallOp::squared_dist) {
    number = 1.0 / kappa;
    number_shift = -2 * shift;
  }
}

void BallParams::add_to(Task& task) const {
  task.u(rows).u(cols).u(groups).u(a_divisor).u(b_modulus);
  task.u(a_stride).u(b_stride).u(v_stride).u(t_stride).u(g_stride);
  task.u(wanted).u(wide_out ? 1 : 0).i(shift).i(v_shift).i(number_shift);
  add_pair(task, kappa);
  add_pair(task, rate);
  add_pair(task, number);
  add_pair(task, g_number);
  task.u(blocks).u(block_rows).u(first).u(0);
}

void bind_rows(Task& task, const BallRows& rows) {
  for (const KernelOperand* x : {rows.a, rows.b, rows.v, rows.t}) {
    task.bind(x == nullptr ? *rows.a : *x);
  }
}

void register_ball(KernelTable& table) {
  set_kernel(table, OpId::ball_project, unary<BallOp::project>);
  set_kernel(table, OpId::ball_import, unary<BallOp::import>);
  set_kernel(table, OpId::ball_expmap0, unary<BallOp::expmap0>);
  set_kernel(table, OpId::ball_logmap0, unary<BallOp::logmap0>);
  set_kernel(table, OpId::ball_mobius_add, with_point<BallOp::mobius_add>);
  set_kernel(table, OpId::ball_mobius_scalar, mobius_scalar);
  set_kernel(table, OpId::ball_expmap, with_vector<BallOp::expmap>);
  set_kernel(table, OpId::ball_logmap, with_point<BallOp::logmap>);
  set_kernel(table, OpId::ball_gyration, gyration);
  set_kernel(table, OpId::ball_parallel_transport, parallel_transport);
  set_kernel(table, OpId::ball_dist, dist);
  set_kernel(table, OpId::ball_dist_matrix, dist_matrix);
  set_kernel(table, OpId::ball_conformal_factor, unary<BallOp::conformal_factor>);
  set_kernel(table, OpId::ball_egrad2rgrad, with_vector<BallOp::egrad2rgrad>);
  set_kernel(table, OpId::ball_geodesic, geodesic);
  set_kernel(table, OpId::ball_to_lorentz, unary<BallOp::to_lorentz>);
  set_kernel(table, OpId::ball_sgd_step, sgd_step);
}

}  // namespace spiraltorch::wgpu
