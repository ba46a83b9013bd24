#include <algorithm>
#include <cmath>

#include "backend/wgpu/ball_sums.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Gradients of the operations of the ball in which rows meet: distances of all pairs, and means.
namespace spiraltorch::wgpu {
namespace {

using means::riemannian_norm;
using means::solve;
using means::Vector;

const Shader kPairs{"ball_pairs_finish", {wgsl::pair, wgsl::ball_pairs_finish}};
const Shader kSquares{"ball_squares", {wgsl::pair, wgsl::ball_squares}};

// Rows [0, x.rows) of one slice of the distances' gradient.
void dist_slice(Device& device, const KernelArgs& args, std::int64_t begin, std::int64_t rows) {
  const KernelOperand& x = args.in[0];
  const KernelOperand& y = args.in[1];
  const KernelOperand& g = args.in[2];
  const BallRows operands{.a = &x, .b = &y, .t = &g};
  BallParams params(BallOp::dist, operands, args.scalars[0]);
  params.rows = y.rows;
  params.first = begin;
  params.v_stride = g.row_stride;
  params.t_stride = g.col_stride;
  const std::int64_t width = x.cols + kSumNumbers;
  const Scratch sums(device, static_cast<std::uint64_t>(rows * width * 8));
  run_ball_sum(device, BallOp::dist, operands, params, rows, sums);
  constexpr std::int64_t kWorkgroup = 64;
  const double root = std::sqrt(params.kappa);
  Task task(device, kPairs, {{"WG", kWorkgroup}});
  task.bind(x).bind(sums).bind(args.out[0]).u(rows).u(x.cols).u(begin).i(params.shift);
  task.f(root).f(root - static_cast<double>(static_cast<float>(root))).u(0);
  task.run(static_cast<std::uint64_t>((rows * x.cols + kWorkgroup - 1) / kWorkgroup));
}

void dist_matrix_grad(const KernelArgs& args) {
  constexpr std::int64_t kSlice = 16384;  // rows whose sums stand in memory at once
  const std::int64_t all = args.in[0].rows;
  for (std::int64_t begin = 0; begin < all; begin += kSlice) {
    dist_slice(device_of(args), args, begin, std::min(kSlice, all - begin));
  }
}

// Gradients by Σwλx and, last, by Σw(λ − 1).
Vector sums_gradient(Vector sums, Vector g, double kappa) {
  const double weight = sums.back();
  sums.pop_back();
  for (double& v : sums) v /= weight;
  // The mean is A·m, A = 1/(1 + √(1 − κ|m|²)), brought into the ball.
  const double squares = kappa * inner(sums, sums);
  const double root = std::sqrt(std::max(0.0, 1.0 - squares));
  const double half = 1.0 / (1.0 + root);
  const double factor = ball_clamp_factor(half * std::sqrt(squares));
  if (factor != 1.0) {
    const double along = inner(sums, g) / inner(sums, sums);
    for (std::size_t j = 0; j < g.size(); ++j) g[j] = factor * (g[j] - along * sums[j]);
  }
  const double slope = root > 0.0 ? 0.5 * half * half / root : 0.0;
  const double on_m = 2.0 * kappa * slope * inner(g, sums);
  for (std::size_t j = 0; j < g.size(); ++j) g[j] = (half * g[j] + on_m * sums[j]) / weight;
  for (double& v : g) v = static_cast<double>(static_cast<float>(v));  // what the device gets
  g.push_back(-inner(g, sums));
  return g;
}

void gyromidpoint_grad(const KernelArgs& args) {
  const WeightedRows points = weighted_rows(args);
  Device& device = points.device;
  Vector g =
      sums_gradient(gyromidpoint_sums(points), read_floats(device, args.in[3]), points.kappa);
  const BallRows rows{.a = &points.x, .t = &points.w};
  BallParams params(BallOp::weighted, rows, points.kappa);
  params.g_number = std::ldexp(g.back(), params.shift);
  g.pop_back();
  const auto buffer = row_on_device(device, g, false);
  KernelOperand incoming = operand(*buffer, {1, points.x.cols});
  incoming.rows = points.x.rows;
  incoming.row_stride = 0;
  run_ball_gradient(device, BallOp::weighted, rows,
                    {.g = &incoming, .a = &args.out[0], .t = &args.out[1]}, params);
}

// A symmetric matrix, row-major, and the flow at the same point.
struct Newton {
  Vector hessian;
  Flow flow;
};

// H = Σ w [uuᵀ + ρ coth ρ (I − uuᵀ)], u along log_m(x); weights of sum 1.
Newton newton_at(const WeightedRows& p, const Vector& m, double total) {
  constexpr std::int64_t kWorkgroup = 64;
  const std::int64_t rows = p.x.rows;
  const std::int64_t cols = p.x.cols;
  const std::int64_t size = cols * cols;
  const Scratch directions(p.device, static_cast<std::uint64_t>(rows * cols * 4));
  Newton out{Vector{}, flow_at(p, m, total, &directions)};
  const std::int64_t block_rows = std::max<std::int64_t>(256, (rows + 15) / 16);
  const std::int64_t blocks = (rows + block_rows - 1) / block_rows;
  const Scratch parts(p.device, static_cast<std::uint64_t>(blocks * size * 8));
  const Scratch squares(p.device, static_cast<std::uint64_t>(size * 8));
  Task task(p.device, kSquares, {{"WG", kWorkgroup}});
  task.bind(directions).bind(parts).u(rows).u(cols).u(blocks).u(block_rows).u(0);
  task.run(static_cast<std::uint64_t>((blocks * size + kWorkgroup - 1) / kWorkgroup));
  add_blocks(p.device, parts, squares, 1, blocks, size);
  out.hessian = read_pairs(p.device, squares, size);
  for (double& v : out.hessian) v /= -total;
  for (std::int64_t j = 0; j < cols; ++j) {
    out.hessian[static_cast<std::size_t>(j * cols + j)] += out.flow.step_bound;
  }
  return out;
}

// The mean arrives rounded to float32, which near the rim is far: Newton's steps regain it.
Newton regain(const WeightedRows& p, Vector& m, double total) {
  Newton here = newton_at(p, m, total);
  for (int step = 0; step < 2; ++step) {
    const Vector v = solve(here.hessian, here.flow.gradient);
    const Vector next = exponential(m, v, 1.0, p.kappa);
    Newton after = newton_at(p, next, total);
    if (!(riemannian_norm(next, after.flow.gradient, p.kappa) <
          riemannian_norm(m, here.flow.gradient, p.kappa))) {
      break;
    }
    m = next;
    here = std::move(after);
  }
  return here;
}

void frechet_mean_grad(const KernelArgs& args) {
  const WeightedRows points = weighted_rows(args);
  Device& device = points.device;
  const double total = total_weight(points);
  Vector m = read_floats(device, args.in[2]);
  const Newton newton = regain(points, m, total);
  const auto incoming =
      row_on_device(device, solve(newton.hessian, read_floats(device, args.in[3])), false);
  const auto mean = row_on_device(device, m, true);
  KernelOperand g = operand(*incoming, {1, points.x.cols});
  g.rows = points.x.rows;
  g.row_stride = 0;
  KernelOperand at = operand(*mean, {1, points.x.cols});
  at.row_stride = 0;
  const BallRows rows{.a = &at, .b = &points.x, .t = &points.w};
  BallParams params(BallOp::logmap, rows, points.kappa);
  params.wide_rows = true;
  params.rate = 1.0 / total;
  run_ball_gradient(device, BallOp::logmap, rows, {.g = &g, .b = &args.out[0], .t = &args.out[1]},
                    params);
}

}  // namespace

void register_ball_grad_sums(KernelTable& table) {
  set_kernel(table, OpId::ball_dist_matrix_grad, dist_matrix_grad);
  set_kernel(table, OpId::ball_gyromidpoint_grad, gyromidpoint_grad);
  set_kernel(table, OpId::ball_frechet_mean_grad, frechet_mean_grad);
}

}  // namespace spiraltorch::wgpu
