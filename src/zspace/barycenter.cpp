#include "spiraltorch/zspace/barycenter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "zspace/checks.hpp"

namespace spiraltorch {
namespace {

using Numbers = std::vector<double>;
constexpr const char* kName = "barycenter";
constexpr double kFloor = 1e-12;  // smallest entry of a density (spec 1, 10.1)

void check_weights(std::span<const Tensor> densities, const Numbers& weights,
                   const BarycenterOptions& options) {
  require(!densities.empty(), Errc::empty_input, kName, "densities: got none, expected some");
  if (weights.size() != densities.size()) {
    fail(Errc::length_mismatch, kName,
         text("weights: got ", weights.size(), ", expected ", densities.size()));
  }
  zspace::check_finite(kName, "entropy_weight", options.entropy_weight);
  zspace::check_finite(kName, "beta_j", options.beta_j);
  for (std::size_t u = 0; u < weights.size(); ++u) {
    zspace::check_finite(kName, text("weight ", u), weights[u]);
  }
  for (std::size_t u = 0; u < weights.size(); ++u) {
    if (weights[u] >= 0) continue;
    fail(Errc::invalid_value, kName, text("weight ", u, ": got ", weights[u], ", expected >= 0"));
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  require(total > 0, Errc::invalid_value, kName, "weights: got all 0, expected a positive sum");
  if (!(total + options.entropy_weight > 0)) {
    fail(Errc::degenerate_barycenter, kName,
         text("effective weight: got ", total + options.entropy_weight, ", expected > 0"));
  }
}

// Shares of the cells, floored and renormalised.
Numbers normalised(const Tensor& density, std::size_t u) {
  zspace::check_finite(kName, text("density ", u), density);
  const auto data = density.data();
  double mass = 0.0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] < 0) {
      fail(Errc::invalid_value, kName,
           text("density ", u, ", entry ", i, ": got ", data[i], ", expected >= 0"));
    }
    mass += data[i];
  }
  if (!(mass > 0)) {
    fail(Errc::invalid_value, kName, text("mass of density ", u, ": got 0, expected > 0"));
  }
  Numbers out(data.size());
  std::transform(data.begin(), data.end(), out.begin(),
                 [](float v) { return std::max(static_cast<double>(v), kFloor); });
  const double sum = std::accumulate(out.begin(), out.end(), 0.0);
  for (double& v : out) v /= sum;
  return out;
}

// KL(p‖q) = Σ (p ln(p/q) − p + q): each term is ≥ 0, so rounding cannot make the sum negative.
double divergence(const Numbers& p, const Numbers& q) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double term = (p[i] > 0 ? p[i] * std::log(p[i] / q[i]) : 0.0) - p[i] + q[i];
    sum += std::max(0.0, term);
  }
  return sum;
}

double entropy_of(const Numbers& p) {
  double sum = 0.0;
  for (const double v : p) sum -= v > 0 ? v * std::log(v) : 0.0;
  return sum;
}

double coupling_energy(const std::vector<Numbers>& shares, const BarycenterOptions& options) {
  if (!options.coupling) return 0.0;
  const Tensor& j = *options.coupling;
  const auto m = static_cast<std::int64_t>(shares.size());
  check_same_shape(kName, "coupling", j.shape(), {m, m});
  zspace::check_finite(kName, "coupling", j);
  double sum = 0.0;
  for (std::size_t u = 0; u < shares.size(); ++u) {
    for (std::size_t v = 0; v < shares.size(); ++v) {
      const double weight = j.at(static_cast<std::int64_t>(u), static_cast<std::int64_t>(v));
      if (weight == 0.0 || u == v) continue;
      sum += weight * (divergence(shares[u], shares[v]) + divergence(shares[v], shares[u]));
    }
  }
  return 0.5 * options.beta_j * sum;
}

// exp(a/W_e)/Z by log-sum-exp.
Numbers pooled(const std::vector<Numbers>& shares, const Numbers& weights, double effective) {
  Numbers a(shares[0].size(), 0.0);
  for (std::size_t u = 0; u < shares.size(); ++u) {
    if (weights[u] == 0.0) continue;
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += weights[u] * std::log(shares[u][i]);
  }
  for (double& v : a) v /= effective;
  const double top = *std::max_element(a.begin(), a.end());
  double z = 0.0;
  for (double& v : a) z += v = std::exp(v - top);
  for (double& v : a) v /= z;
  return a;
}

Tensor as_tensor(const Numbers& p, Shape shape, DeviceId device) {
  return {shape.rows,
          shape.cols,
          std::span<const double>(p),
          {.requires_grad = false, .device = device}};
}

}  // namespace

std::string BarycenterIntermediate::repr() const {
  return text("BarycenterIntermediate(interpolation=", interpolation, ", objective=", objective,
              ")");
}

std::string ZSpaceBarycenter::repr() const {
  return text("ZSpaceBarycenter(objective=", objective, ", effective_weight=", effective_weight,
              ")");
}

ZSpaceBarycenter z_space_barycenter(std::span<const Tensor> densities,
                                    const std::optional<Numbers>& given,
                                    const BarycenterOptions& options) {
  const Numbers weights = given ? *given : Numbers(densities.size(), 1.0);
  check_weights(densities, weights, options);
  const Shape shape = densities[0].shape();
  for (std::size_t u = 1; u < densities.size(); ++u) {
    check_same_shape(kName, text("density ", u), densities[u].shape(), shape);
  }
  std::vector<Numbers> shares;
  for (std::size_t u = 0; u < densities.size(); ++u) {
    shares.push_back(normalised(densities[u], u));
  }
  const double coupling = coupling_energy(shares, options);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double effective = total + options.entropy_weight;
  const Numbers best = pooled(shares, weights, effective);
  Numbers start(best.size(), 0.0);
  for (std::size_t u = 0; u < shares.size(); ++u) {
    for (std::size_t i = 0; i < start.size(); ++i) start[i] += weights[u] / total * shares[u][i];
  }
  const DeviceId device = densities[0].device();
  std::vector<BarycenterIntermediate> stages;
  for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    Numbers p(best.size());
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = (1.0 - alpha) * start[i] + alpha * best[i];
    double energy = 0.0;
    for (std::size_t u = 0; u < shares.size(); ++u) energy += weights[u] * divergence(p, shares[u]);
    const double entropy = entropy_of(p);
    stages.push_back({alpha, as_tensor(p, shape, device), energy, entropy,
                      energy - options.entropy_weight * entropy + coupling});
  }
  const BarycenterIntermediate& last = stages.back();
  return {last.density.clone(), last.kl_energy, last.entropy, coupling,
          last.objective,       effective,      stages};
}

}  // namespace spiraltorch
