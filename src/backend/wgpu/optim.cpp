#include <cmath>
#include <iterator>
#include <memory>

#include "backend/wgpu/ball.hpp"
#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Optimiser steps and the norm of gradients.
namespace spiraltorch::wgpu {
namespace {

const Shader kFlat{"optim_flat", {wgsl::optim_params, wgsl::optim_flat}};
const Shader kBall{
    "optim_ball",
    {wgsl::pair, wgsl::pair_math, wgsl::optim_params, wgsl::optim_rows, wgsl::optim_ball}};
const Shader kNorms{
    "optim_norms",
    {wgsl::pair, wgsl::pair_math, wgsl::optim_params, wgsl::optim_rows, wgsl::optim_norms}};

constexpr std::int64_t kFlatThreads = 256;
constexpr std::int64_t kRowThreads = 128;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A launch's arguments by name.
struct Step {
  const KernelArgs& args;
  double kappa, rate, decay, beta1, beta2, eps, correction1, correction2;
  bool adam, nesterov, decoupled, lazy, listed;

  Step(const KernelArgs& a, bool ball) : args(a) {
    const double* s = a.scalars.data();
    kappa = ball ? *s++ : 1.0;
    rate = s[0];
    decay = s[1];
    beta1 = s[2];
    beta2 = s[3];
    eps = s[4];
    correction1 = s[5];
    correction2 = s[6];
    adam = a.ints[0] != 0;
    nesterov = a.ints[1] != 0;
    lazy = a.ints[3] != 0;
    listed = a.ints[4] != 0;
    decoupled = a.ints[2] != 0 && decay != 0.0 && rate != 0.0;
    if (a.ints[2] != 0 && !decoupled) decay = 0.0;
  }
  // Bits in the order of wgsl/optim_params.wgsl.
  [[nodiscard]] std::int64_t flags() const {
    const bool bits[] = {
        adam, nesterov, decoupled, lazy, listed, args.out.size() > 1, args.out.size() > 3};
    std::int64_t out = 0;
    for (std::size_t k = 0; k < std::size(bits); ++k) out |= std::int64_t{bits[k]} << k;
    return out;
  }
};

// A number as two float32.
void add_pair(Task& task, double value) {
  task.f(value).f(value - static_cast<double>(static_cast<float>(value)));
}

Task task_of(const Step& step, const Shader& shader, std::int64_t threads, std::int64_t lanes) {
  return {
      device_of(step.args), shader, {{"WG", threads}, {"LANES", lanes}, {"FLAGS", step.flags()}}};
}

// κ in [1, 4), and the power of two that points are scaled by for it.
void add_kappa(Task& task, double kappa) {
  const int shift = static_cast<int>(std::floor(std::log2(kappa) / 2.0));
  task.i(shift);
  add_pair(task, std::ldexp(kappa, -2 * shift));
}

// Binds everything, the weights in the place of what is not there, and runs.
void run(const Step& step, Task& task, std::int64_t groups) {
  const KernelArgs& args = step.args;
  const KernelOperand& w = args.out[0];
  task.bind(args.in[0]).bind(step.listed ? args.in[1] : w).bind(w);
  for (std::size_t k = 1; k < 4; ++k) task.bind(k < args.out.size() ? args.out[k] : w);
  task.u(args.in[0].rows).u(args.in[0].cols).u(groups).u(0);
  add_kappa(task, step.kappa);
  task.f(step.rate).f(step.decay).f(step.beta1).f(step.adam ? 1.0 - step.beta1 : 1.0);
  task.f(step.beta2).f(1.0 - step.beta2).f(step.eps);
  task.f(1.0 / step.correction1).f(1.0 / step.correction2);
  add_pair(task, 1.0 - step.rate * step.decay);
  task.run(static_cast<std::uint64_t>(groups));
}

void flat_step(const KernelArgs& args) {
  const Step step(args, false);
  const std::int64_t lanes = ball_lanes(args.in[0].cols);
  Task task = task_of(step, kFlat, kFlatThreads, lanes);
  const std::int64_t groups = step.lazy ? ceil_div(args.in[0].rows, kFlatThreads / lanes)
                                        : ceil_div(args.in[0].size(), kFlatThreads);
  run(step, task, groups);
}

void ball_step(const KernelArgs& args) {
  const Step step(args, true);
  const std::int64_t lanes = ball_lanes(args.in[0].cols);
  Task task = task_of(step, kBall, kRowThreads, lanes);
  run(step, task, ceil_div(args.in[0].rows, kRowThreads / lanes));
}

// |g|/λ of each row.
void row_norms(const KernelArgs& args, const KernelOperand& out) {
  const KernelOperand& x = args.in[1];
  const std::int64_t lanes = ball_lanes(x.cols);
  const std::int64_t groups = ceil_div(x.rows, kRowThreads / lanes);
  Task task(device_of(args), kNorms, {{"WG", kRowThreads}, {"LANES", lanes}, {"FLAGS", 0}});
  task.bind(args.in[0]).bind(x).bind(x).bind(x).bind(out).bind(x);
  task.u(x.rows).u(x.cols).u(groups).u(0);
  add_kappa(task, args.scalars[0]);
  for (int i = 0; i < 11; ++i) task.f(0.0);  // the rule's settings
  task.run(static_cast<std::uint64_t>(groups));
}

void squares(const KernelArgs& args) {
  const DeviceId device = args.out[0].buffer->device();
  const auto sum = Buffer::allocate(device, sizeof(double));
  const KernelOperand result = operand(*sum, {1, 1}, ElementType::f64);
  KernelOperand terms = args.in[0];
  std::shared_ptr<Buffer> norms;
  if (args.in.size() > 1) {
    norms = Buffer::allocate(device, static_cast<std::size_t>(args.in[0].rows) * sizeof(float));
    terms = operand(*norms, {args.in[0].rows, 1});
    row_norms(args, terms);
  }
  launch(OpId::squared_norm, {.in = {&terms, 1}, .out = {&result, 1}, .scalars = {}, .ints = {}});
  copy_block(device_of(args), block_of(result), 0, block_of(args.out[0]),
             static_cast<std::uint64_t>(args.ints[0]) * sizeof(double), sizeof(double));
}

}  // namespace

void register_optim(KernelTable& table) {
  set_kernel(table, OpId::optim_step, flat_step);
  set_kernel(table, OpId::ball_optim_step, ball_step);
  set_kernel(table, OpId::optim_squares, squares);
}

}  // namespace spiraltorch::wgpu
