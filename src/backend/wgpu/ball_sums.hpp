#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/means.hpp"
#include "backend/wgpu/ball.hpp"

// Sums over rows of the ball: what means and distances of all pairs are made of.
namespace spiraltorch::wgpu {

using means::ball_clamp_factor;
using means::inner;

/// Numbers behind the columns of a row of sums: on a, two more, and whether a row is not finite.
inline constexpr std::int64_t kSumNumbers = 4;

/// Blocks of `rows` rows where `outer` sums are wanted, multiples of 32 rows each.
struct SumBlocks {
  std::int64_t count;
  std::int64_t rows;
  SumBlocks(std::int64_t outer, std::int64_t all_rows);
};

/// A dispatch of wgsl/ball_sum.wgsl, its blocks added up: `outer` rows of cols pairs and
/// kSumNumbers more. Operand t holds weights: of pair (i, j) at i·v_stride + j·t_stride.
void run_ball_sum(Device& device, BallOp op, const BallRows& rows, BallParams params,
                  std::int64_t outer, const Scratch& sums, const Scratch* directions = nullptr);
/// Adds up (outer, blocks, width) pairs to (outer, width).
void add_blocks(Device& device, const Scratch& blocks, const Scratch& out, std::int64_t outer,
                std::int64_t count, std::int64_t width);

/// Points in rows and weights beside them.
struct WeightedRows {
  Device& device;
  const KernelOperand& x;
  const KernelOperand& w;
  double kappa;
};
[[nodiscard]] inline WeightedRows weighted_rows(const KernelArgs& args) {
  return {device_of(args), args.in[0], args.in[1], args.scalars[0]};
}

/// Σwλx, then Σw(λ − 1): not-a-number if a row is not finite.
[[nodiscard]] std::vector<double> gyromidpoint_sums(const WeightedRows& points);

/// The flow of the Fréchet mean at m: Σ w log_m(x), Σ w ρ coth ρ, Σ w ρ², for weights of sum 1.
struct Flow {
  std::vector<double> gradient;
  double step_bound = 0.0;
  double objective = 0.0;
};
/// `directions`, where given, gets a row z for each x, with Σ w ρ coth ρ·I − Σ zzᵀ/total the
/// negative derivative of the gradient.
[[nodiscard]] Flow flow_at(const WeightedRows& points, const std::vector<double>& m, double total,
                           const Scratch* directions = nullptr);
/// exp_m(t·g).
[[nodiscard]] std::vector<double> exponential(const std::vector<double>& m,
                                              const std::vector<double>& g, double t, double kappa);

[[nodiscard]] double total_weight(const WeightedRows& points);
/// A row on the device, as float32 or as pairs of them.
[[nodiscard]] std::shared_ptr<Buffer> row_on_device(Device& device, const std::vector<double>& row,
                                                    bool pairs);
[[nodiscard]] std::vector<double> read_floats(Device& device, const KernelOperand& x);
[[nodiscard]] std::vector<double> read_pairs(Device& device, const Scratch& from,
                                             std::int64_t count);

}  // namespace spiraltorch::wgpu
