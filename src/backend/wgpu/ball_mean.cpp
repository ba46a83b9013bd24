#include <cmath>

#include "backend/wgpu/ball_sums.hpp"
#include "backend/wgpu/wgpu.hpp"

// Means of weighted points: sums over the rows on the device, what is left in double on the host.
namespace spiraltorch::wgpu {
namespace {

using Vector = std::vector<double>;

void store(Device& device, const Vector& row, const KernelOperand& out) {
  std::vector<float> words(row.begin(), row.end());
  device.upload(block_of(out), 0, words.data(), words.size() * sizeof(float));
}

void gyromidpoint(const KernelArgs& args) {
  const WeightedRows points = weighted_rows(args);
  store(points.device, means::gyromidpoint_of(gyromidpoint_sums(points), points.kappa),
        args.out[0]);
}

Vector frechet_mean(const WeightedRows& p, double tolerance, std::int64_t max_iterations) {
  Vector m = means::gyromidpoint_of(gyromidpoint_sums(p), p.kappa);
  if (!std::isfinite(inner(m, m))) return m;
  const double total = total_weight(p);
  return means::karcher_flow(
      std::move(m), {p.kappa, tolerance, max_iterations, 1e-11},
      [&](const Vector& at) { return flow_at(p, at, total); },
      [&](const Vector& at, const Vector& g, double t) { return exponential(at, g, t, p.kappa); });
}

void frechet(const KernelArgs& args) {
  const WeightedRows points = weighted_rows(args);
  store(points.device, frechet_mean(points, args.scalars[1], args.ints[0]), args.out[0]);
}

}  // namespace

void register_ball_mean(KernelTable& table) {
  set_kernel(table, OpId::ball_gyromidpoint, gyromidpoint);
  set_kernel(table, OpId::ball_frechet_mean, frechet);
}

}  // namespace spiraltorch::wgpu
