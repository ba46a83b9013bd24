#include "backend/wgpu/ball_sums.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/limits.hpp"

namespace spiraltorch::wgpu {
namespace {

using Vector = std::vector<double>;

const Shader kSum{"ball_sum",
                  {wgsl::pair, wgsl::pair_math, wgsl::ball_number, wgsl::ball_coefficients,
                   wgsl::lorentz_coefficients, wgsl::ball_rows, wgsl::ball_sum}};
const Shader kFinish{"ball_sum_finish", {wgsl::pair, wgsl::ball_sum_finish}};

double as_double(std::uint32_t word) { return std::bit_cast<float>(word); }

// Sums of one row of a on the host; not-a-number where a row is not finite.
Vector read_sums(Device& device, const Scratch& sums, std::int64_t cols) {
  Vector out = read_pairs(device, sums, cols + kSumNumbers);
  if (out.back() != 0.0) {
    std::fill(out.begin(), out.end(), std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

}  // namespace

SumBlocks::SumBlocks(std::int64_t outer, std::int64_t all_rows) {
  constexpr std::int64_t kChunk = 32;
  const std::int64_t chunks = (all_rows + kChunk - 1) / kChunk;
  const std::int64_t wanted = std::clamp<std::int64_t>(512 / outer, 1, chunks);
  rows = (chunks + wanted - 1) / wanted * kChunk;
  count = (all_rows + rows - 1) / rows;
}

void run_ball_sum(Device& device, BallOp op, const BallRows& rows, BallParams params,
                  std::int64_t outer, const Scratch& sums, const Scratch* directions) {
  const SumBlocks blocks(outer, params.rows);
  const std::int64_t width = params.cols + kSumNumbers;
  const Scratch partial(device, static_cast<std::uint64_t>(outer * blocks.count * width * 8));
  params.blocks = blocks.count;
  params.block_rows = blocks.rows;
  params.groups = outer * blocks.count;
  params.wanted = directions != nullptr ? 1 : 0;
  Task task(device, kSum,
            {{"WG", 256},
             {"LANES", 8},
             {"OP", static_cast<std::int64_t>(op)},
             {"WIDE", params.wide_rows ? 1 : 0},
             {"GRADIENT", 0}});
  bind_rows(task, rows);
  task.bind(partial).bind(directions != nullptr ? *directions : sums);
  params.add_to(task);
  task.run(static_cast<std::uint64_t>(params.groups));
  add_blocks(device, partial, sums, outer, blocks.count, width);
}

void add_blocks(Device& device, const Scratch& blocks, const Scratch& out, std::int64_t outer,
                std::int64_t count, std::int64_t width) {
  constexpr std::int64_t kWorkgroup = 64;
  Task task(device, kFinish, {{"WG", kWorkgroup}});
  task.bind(blocks).bind(out).u(outer * width).u(width).u(count).u(0);
  task.run(static_cast<std::uint64_t>((outer * width + kWorkgroup - 1) / kWorkgroup));
}

Vector gyromidpoint_sums(const WeightedRows& points) {
  const BallRows rows{.a = &points.x, .t = &points.w};
  BallParams params(BallOp::weighted, rows, points.kappa);
  params.rows = points.x.rows;
  const Scratch sums(points.device, static_cast<std::uint64_t>((params.cols + kSumNumbers) * 8));
  run_ball_sum(points.device, BallOp::weighted, rows, params, 1, sums);
  Vector out = read_sums(points.device, sums, params.cols);
  const auto cols = static_cast<std::size_t>(params.cols);
  for (std::size_t j = 0; j < cols; ++j) out[j] = std::ldexp(out[j], -params.shift);
  out[cols] = out[cols + 1];  // what stands on the rows is 0
  out.resize(cols + 1);
  return out;
}

Flow flow_at(const WeightedRows& points, const Vector& m, double total, const Scratch* directions) {
  Device& device = points.device;
  const auto buffer = row_on_device(device, m, true);
  const KernelOperand at = operand(*buffer, {1, points.x.cols});
  const BallRows rows{.a = &at, .b = &points.x, .t = &points.w};
  BallParams params(BallOp::logmap, rows, points.kappa);
  params.rows = points.x.rows;
  params.wide_rows = true;
  params.number = 1.0 / std::sqrt(params.kappa);
  const Scratch sums(device, static_cast<std::uint64_t>((params.cols + kSumNumbers) * 8));
  run_ball_sum(device, BallOp::logmap, rows, params, 1, sums, directions);
  Vector read = read_sums(device, sums, params.cols);
  const auto cols = static_cast<std::size_t>(params.cols);
  Flow flow;
  flow.gradient.resize(cols);
  for (std::size_t j = 0; j < cols; ++j) {
    flow.gradient[j] = (std::ldexp(read[j], -params.shift) + read[cols] * m[j]) / total;
  }
  flow.step_bound = read[cols + 1] / total;
  flow.objective = read[cols + 2] / total;
  return flow;
}

Vector exponential(const Vector& m, const Vector& g, double t, double kappa) {
  const double mm = inner(m, m);
  const double cm = 1.0 - kappa * mm;
  const double length = std::sqrt(kappa * inner(g, g)) * t;
  if (length == 0.0) return m;
  const double k = std::tanh(length / cm) / length * t;
  const double yy = k * k * inner(g, g);
  Vector sum(m);
  for (std::size_t j = 0; j < m.size(); ++j) sum[j] += k * g[j];
  const double ss = inner(sum, sum);
  const double d = kappa * ss + cm * (1.0 - kappa * yy);
  for (std::size_t j = 0; j < m.size(); ++j) sum[j] = (kappa * ss * m[j] + cm * sum[j]) / d;
  means::clamp(sum, kappa);
  return sum;
}

double total_weight(const WeightedRows& points) {
  const Vector weights = read_floats(points.device, points.w);
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

std::shared_ptr<Buffer> row_on_device(Device& device, const Vector& row, bool pairs) {
  std::vector<float> words;
  for (const double v : row) {
    words.push_back(static_cast<float>(v));
    if (pairs) words.push_back(static_cast<float>(v - static_cast<double>(words.back())));
  }
  const DeviceId id{DeviceType::wgpu, device.index()};
  auto buffer = Buffer::allocate(id, words.size() * sizeof(float));
  upload(*buffer, 0, words.data(), words.size() * sizeof(float));
  return buffer;
}

Vector read_floats(Device& device, const KernelOperand& x) {
  const auto words = read_words(device, x, 0, static_cast<std::uint64_t>(x.size()));
  Vector out(words.size());
  std::transform(words.begin(), words.end(), out.begin(), as_double);
  return out;
}

Vector read_pairs(Device& device, const Scratch& from, std::int64_t count) {
  const auto words = read_words(device, from, 0, static_cast<std::uint64_t>(2 * count));
  Vector out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = as_double(words[2 * i]) + as_double(words[2 * i + 1]);
  }
  return out;
}

}  // namespace spiraltorch::wgpu
