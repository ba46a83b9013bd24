#include "backend/cpu/simd/ball.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/ball_mean.hpp"
#include "backend/cpu/cpu.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch::cpu {
namespace {

// About 10 ns an element and some for a row's functions: this many rows are worth a thread.
std::int64_t row_grain(std::int64_t cols) { return std::max<std::int64_t>(1, 8192 / (cols + 8)); }

// Rows [begin, end) of a job.
BallJob part_of(const BallJob& job, std::int64_t begin, std::int64_t end, std::int64_t out_cols) {
  BallJob part = job;
  for (std::size_t k = 0; k < part.in.size(); ++k) {
    if (part.in[k] != nullptr) part.in[k] += begin * part.stride[k];
  }
  if (part.t != nullptr) part.t += begin * part.t_stride;
  const std::size_t size = job.wide_out ? sizeof(double) : sizeof(float);
  part.out = static_cast<char*>(job.out) + static_cast<std::size_t>(begin * out_cols) * size;
  part.rows = end - begin;
  return part;
}

void set_operand(BallJob& job, std::size_t k, const KernelOperand& x) {
  job.in[k] = data<const float>(x);
  job.stride[k] = x.row_stride;
  job.cols = x.cols;
}

BallJob make_job(const KernelArgs& args) {
  BallJob job;
  job.out = args.out[0].buffer->native();
  job.wide_out = args.out[0].type == ElementType::f64;
  job.rows = args.out[0].rows;
  job.kappa = args.scalars[0];
  return job;
}

void run(BallOp op, const BallJob& job, std::int64_t out_cols) {
  const auto kernel = ball_table().rows[static_cast<std::size_t>(op)];
  parallel_for(job.rows, row_grain(job.cols), [&](std::int64_t begin, std::int64_t end) {
    kernel(part_of(job, begin, end, out_cols));
  });
}

template <BallOp op, std::size_t operands>
void rows(const KernelArgs& args) {
  BallJob job = make_job(args);
  for (std::size_t k = 0; k < operands; ++k) set_operand(job, k, args.in[k]);
  run(op, job, args.out[0].cols);
}

void set_t(BallJob& job, const KernelOperand& t) {
  job.t = data<const float>(t);
  job.t_stride = t.row_stride;
}

void mobius_scalar(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_t(job, args.in[0]);
  set_operand(job, 0, args.in[1]);
  run(BallOp::mobius_scalar, job, args.out[0].cols);
}

void geodesic(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_operand(job, 0, args.in[0]);
  set_operand(job, 1, args.in[1]);
  set_t(job, args.in[2]);
  run(BallOp::geodesic, job, args.out[0].cols);
}

// The SIMD kernel turns the transport about its target, so y comes first there.
void parallel_transport(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_operand(job, 0, args.in[1]);
  set_operand(job, 1, args.in[0]);
  set_operand(job, 2, args.in[2]);
  run(BallOp::parallel_transport, job, args.out[0].cols);
}

void dist(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_operand(job, 0, args.in[0]);
  set_operand(job, 1, args.in[1]);
  job.squared = args.ints[0] != 0;
  run(BallOp::dist, job, 1);
}

void sgd_step(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_operand(job, 0, args.in[0]);
  set_operand(job, 1, args.in[1]);
  job.rate = args.scalars[1];
  run(BallOp::sgd_step, job, args.out[0].cols);
}

void dist_matrix(const KernelArgs& args) {
  BallJob job = make_job(args);
  set_operand(job, 0, args.in[0]);
  set_operand(job, 1, args.in[1]);
  job.stride[1] = 0;  // every part of the rows meets all of the others
  const std::int64_t others = args.in[1].rows;
  auto* out = static_cast<float*>(job.out);
  const auto work = std::max<std::int64_t>(1, 8192 / (others * (job.cols + 8)) + 1);
  parallel_for(job.rows, work, [&](std::int64_t begin, std::int64_t end) {
    ball_table().dist_matrix(part_of(job, begin, end, others), others);
  });
  if (args.ints[0] == 0) return;
  for (std::int64_t i = 0; i < job.rows; ++i) {
    if (!std::isnan(out[i * others + i])) out[i * others + i] = 0.0F;
  }
}

void gyromidpoint(const KernelArgs& args) {
  const auto point = weighted_gyromidpoint(rows_of(args));
  std::transform(point.begin(), point.end(), data<float>(args.out[0]),
                 [](double v) { return static_cast<float>(v); });
}

void frechet(const KernelArgs& args) {
  const auto point = frechet_mean(rows_of(args), args.scalars[1], args.ints[0]);
  std::transform(point.begin(), point.end(), data<float>(args.out[0]),
                 [](double v) { return static_cast<float>(v); });
}

void to_lorentz(const KernelArgs& args) {
  const KernelOperand& x = args.in[0];
  const double kappa = args.scalars[0];
  const double root = std::sqrt(kappa);
  auto* out = data<float>(args.out[0]);
  parallel_for(x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = data<const float>(x) + i * x.cols;
      float* to = out + i * (x.cols + 1);
      double squares = 0.0;
      for (std::int64_t j = 0; j < x.cols; ++j) squares += static_cast<double>(row[j]) * row[j];
      if (!std::isfinite(squares)) {
        std::fill(to, to + x.cols + 1, std::numeric_limits<float>::quiet_NaN());
        continue;
      }
      const double p = ball_clamp_factor(root * std::sqrt(squares));
      const double n = kappa * squares * p * p;
      to[0] = static_cast<float>((1.0 + n) / (root * (1.0 - n)));
      for (std::int64_t j = 0; j < x.cols; ++j) {
        to[j + 1] = static_cast<float>(2.0 * p * row[j] / (1.0 - n));
      }
    }
  });
}

}  // namespace

void register_ball(KernelTable& table) {
  set_kernel(table, OpId::ball_project, rows<BallOp::project, 1>);
  set_kernel(table, OpId::ball_import, rows<BallOp::import, 1>);
  set_kernel(table, OpId::ball_expmap0, rows<BallOp::expmap0, 1>);
  set_kernel(table, OpId::ball_logmap0, rows<BallOp::logmap0, 1>);
  set_kernel(table, OpId::ball_mobius_add, rows<BallOp::mobius_add, 2>);
  set_kernel(table, OpId::ball_mobius_scalar, mobius_scalar);
  set_kernel(table, OpId::ball_expmap, rows<BallOp::expmap, 2>);
  set_kernel(table, OpId::ball_logmap, rows<BallOp::logmap, 2>);
  set_kernel(table, OpId::ball_gyration, rows<BallOp::gyration, 3>);
  set_kernel(table, OpId::ball_parallel_transport, parallel_transport);
  set_kernel(table, OpId::ball_dist, dist);
  set_kernel(table, OpId::ball_dist_matrix, dist_matrix);
  set_kernel(table, OpId::ball_conformal_factor, rows<BallOp::conformal_factor, 1>);
  set_kernel(table, OpId::ball_egrad2rgrad, rows<BallOp::egrad2rgrad, 2>);
  set_kernel(table, OpId::ball_geodesic, geodesic);
  set_kernel(table, OpId::ball_gyromidpoint, gyromidpoint);
  set_kernel(table, OpId::ball_frechet_mean, frechet);
  set_kernel(table, OpId::ball_to_lorentz, to_lorentz);
  set_kernel(table, OpId::ball_sgd_step, sgd_step);
}

}  // namespace spiraltorch::cpu
