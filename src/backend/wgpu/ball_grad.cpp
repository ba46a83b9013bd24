#include <array>

#include "backend/wgpu/ball.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

const Shader kBackward{
    "ball_grad",
    {wgsl::pair, wgsl::pair_math, wgsl::ball_dual, wgsl::ball_coefficients,
     wgsl::lorentz_coefficients, wgsl::ball_rows, wgsl::ball_backward, wgsl::ball_main}};

// An operation, and the role (a, b, v or t) of each of its operands.
struct Plan {
  BallOp op;
  const char* roles;
};

Plan plan_of(OpId op, bool squared) {
  switch (op) {
    case OpId::ball_import:
      return {BallOp::import, "a"};
    case OpId::ball_expmap0:
      return {BallOp::expmap0, "a"};
    case OpId::ball_logmap0:
      return {BallOp::logmap0, "a"};
    case OpId::ball_mobius_add:
      return {BallOp::mobius_add, "ab"};
    case OpId::ball_mobius_scalar:
      return {BallOp::mobius_scalar, "ta"};
    case OpId::ball_expmap:
      return {BallOp::expmap, "av"};
    case OpId::ball_logmap:
      return {BallOp::logmap, "ab"};
    case OpId::ball_gyration:
      return {BallOp::gyration, "abv"};
    case OpId::ball_parallel_transport:  // the target is a
      return {BallOp::parallel_transport, "bav"};
    case OpId::ball_dist:
      return {squared ? BallOp::squared_dist : BallOp::dist, "ab"};
    case OpId::ball_conformal_factor:
      return {BallOp::conformal_factor, "a"};
    case OpId::ball_egrad2rgrad:
      return {BallOp::egrad2rgrad, "av"};
    case OpId::ball_geodesic:
      return {BallOp::geodesic, "abt"};
    case OpId::ball_to_lorentz:
      return {BallOp::to_lorentz, "a"};
    default:
      return {BallOp::project, "a"};
  }
}

template <class Roles>
const KernelOperand*& slot(Roles& roles, char role) {
  switch (role) {
    case 'a':
      return roles.a;
    case 'b':
      return roles.b;
    case 'v':
      return roles.v;
    default:
      return roles.t;
  }
}

void ball_grad(const KernelArgs& args) {
  const Plan plan = plan_of(static_cast<OpId>(args.ints[0]), args.ints[1] != 0);
  const std::size_t operands = args.in.size() - 1;
  BallRows rows;
  BallGradients gradients{.g = &args.in[operands]};
  for (std::size_t k = 0, next = 0; k < operands; ++k) {
    slot(rows, plan.roles[k]) = &args.in[k];
    if ((args.ints[2] >> k & 1) != 0) slot(gradients, plan.roles[k]) = &args.out[next++];
  }
  run_ball_gradient(device_of(args), plan.op, rows, gradients,
                    BallParams(plan.op, rows, args.scalars[0]));
}

}  // namespace

void run_ball_gradient(Device& device, BallOp op, const BallRows& rows,
                       const BallGradients& gradients, BallParams params) {
  constexpr std::int64_t kWorkgroup = 128;
  const std::int64_t lanes = ball_lanes(params.cols);
  const std::int64_t group_rows = kWorkgroup / lanes;
  const KernelOperand& g = *gradients.g;
  params.rows = g.rows;
  params.g_stride = g.row_stride;
  params.groups = (params.rows + group_rows - 1) / group_rows;
  params.wanted = (gradients.a != nullptr ? 1 : 0) | (gradients.b != nullptr ? 2 : 0) |
                  (gradients.v != nullptr ? 4 : 0) | (gradients.t != nullptr ? 8 : 0);
  Task task(device, kBackward,
            {{"WG", kWorkgroup},
             {"LANES", lanes},
             {"OP", static_cast<std::int64_t>(op)},
             {"WIDE", params.wide_rows ? 1 : 0},
             {"GRADIENT", 1}});
  bind_rows(task, rows);
  task.bind(g);
  // t's gradient stands in the first place without a row's.
  const KernelOperand* second = rows.b != nullptr ? gradients.b : gradients.t;
  const KernelOperand* third = rows.b != nullptr && rows.v == nullptr ? gradients.t : gradients.v;
  for (const KernelOperand* out : {gradients.a, second, third}) {
    task.bind(out == nullptr ? g : *out);
  }
  params.add_to(task);
  task.run(static_cast<std::uint64_t>(params.groups));
}

void register_ball_grad(KernelTable& table) { set_kernel(table, OpId::ball_grad, ball_grad); }

}  // namespace spiraltorch::wgpu
