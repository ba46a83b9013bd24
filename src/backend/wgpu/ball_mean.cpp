#include <cmath>

#include "backend/wgpu/ball_sums.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

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
  store(points.device, gyromidpoint_of(gyromidpoint_sums(points), points.kappa), args.out[0]);
}

// Karcher (1977) flow with a safe step (Lou et al. 2020).
Vector frechet_mean(const WeightedRows& p, double tolerance, std::int64_t max_iterations) {
  Vector m = gyromidpoint_of(gyromidpoint_sums(p), p.kappa);
  if (!std::isfinite(inner(m, m))) return m;
  const double total = total_weight(p);
  Flow flow = flow_at(p, m, total);
  double norm = 0.0;
  for (std::int64_t i = 0; i <= max_iterations; ++i) {
    norm = 2.0 * std::sqrt(p.kappa * inner(flow.gradient, flow.gradient)) /
           (1.0 - p.kappa * inner(m, m));
    if (norm <= tolerance) return m;
    double t = 1.0 / flow.step_bound;
    Vector next = exponential(m, flow.gradient, t, p.kappa);
    Flow after = flow_at(p, next, total);
    // The last digits of the objective are rounding.
    const double ceiling = flow.objective * (1.0 + 1e-11);
    while (after.objective > ceiling && t > 1e-12) {
      t *= 0.5;
      next = exponential(m, flow.gradient, t, p.kappa);
      after = flow_at(p, next, total);
    }
    m = std::move(next);
    flow = std::move(after);
  }
  fail(Errc::not_converged, "frechet_mean",
       text("scaled gradient norm after ", max_iterations, " iterations: got ", norm,
            ", expected at most ", tolerance));
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
