#include "spiraltorch/zspace/barycenter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
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
  zspace::check_finite(kName, "sum of the weights", total);
  zspace::check_finite(kName, "effective weight", total + options.entropy_weight);
  if (!(total + options.entropy_weight > 0)) {
    fail(Errc::degenerate_barycenter, kName,
         text("effective weight: got ", total + options.entropy_weight, ", expected > 0"));
  }
}

void check_entries(std::span<const Tensor> densities) {
  for (std::size_t u = 0; u < densities.size(); ++u) {
    zspace::check_finite(kName, text("density ", u), densities[u]);
  }
  for (std::size_t u = 0; u < densities.size(); ++u) {
    const auto data = densities[u].data();
    double mass = 0.0;
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (data[i] < 0) {
        fail(Errc::invalid_value, kName,
             text("density ", u, ", entry ", i, ": got ", data[i], ", expected >= 0"));
      }
      mass += static_cast<double>(data[i]);
    }
    if (mass > 0) continue;
    fail(Errc::invalid_value, kName, text("mass of density ", u, ": got 0, expected > 0"));
  }
}

void check_coupling(const BarycenterOptions& options, std::size_t count) {
  if (!options.coupling) return;
  const auto m = static_cast<std::int64_t>(count);
  check_same_shape(kName, "coupling", options.coupling->shape(), {m, m});
  zspace::check_finite(kName, "coupling", *options.coupling);
}

// Floored, then shares of the mass: the order that the golden vectors fix. A density with entries
// below the floor therefore depends on its scale.
Numbers normalised(const Tensor& density) {
  const auto data = density.data();
  Numbers out(data.size());
  std::transform(data.begin(), data.end(), out.begin(),
                 [](float v) { return std::max(static_cast<double>(v), kFloor); });
  const double mass = std::accumulate(out.begin(), out.end(), 0.0);
  for (double& v : out) v /= mass;
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

// KL(p‖q) + KL(q‖p) = Σ (p − q)(ln p − ln q), terms of one sign.
double symmetric_divergence(const Numbers& p, const Numbers& log_p, const Numbers& q,
                            const Numbers& log_q) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - q[i]) * (log_p[i] - log_q[i]);
  return sum;
}

double coupling_energy(const std::vector<Numbers>& shares, const std::vector<Numbers>& logs,
                       const BarycenterOptions& options) {
  if (!options.coupling) return 0.0;
  const auto j = options.coupling->data();
  double sum = 0.0;
  for (std::size_t u = 0; u < shares.size(); ++u) {
    for (std::size_t v = 0; v < u; ++v) {
      const double weight = static_cast<double>(j[u * shares.size() + v]) +
                            static_cast<double>(j[v * shares.size() + u]);
      if (weight == 0.0) continue;
      sum += weight * symmetric_divergence(shares[u], logs[u], shares[v], logs[v]);
    }
  }
  return 0.5 * options.beta_j * sum;
}

// exp(a/W_e)/Z by log-sum-exp; the maximum goes first, since a/W_e overflows for a small W_e.
Numbers pooled(const std::vector<Numbers>& logs, const Numbers& weights, double effective) {
  Numbers a(logs[0].size(), 0.0);
  for (std::size_t u = 0; u < logs.size(); ++u) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += weights[u] * logs[u][i];
  }
  const double top = *std::max_element(a.begin(), a.end());
  double z = 0.0;
  for (double& v : a) z += v = std::exp((v - top) / effective);
  for (double& v : a) v /= z;
  return a;
}

Numbers weighted_mean(const std::vector<Numbers>& shares, const Numbers& weights, double total) {
  Numbers out(shares[0].size(), 0.0);
  for (std::size_t u = 0; u < shares.size(); ++u) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += weights[u] / total * shares[u][i];
  }
  return out;
}

Numbers logarithms(const Numbers& p) {
  Numbers out(p.size());
  std::transform(p.begin(), p.end(), out.begin(), [](double v) { return std::log(v); });
  return out;
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

BarycenterIntermediate::Values BarycenterIntermediate::as_tuple() const {
  return {interpolation, density.clone(), kl_energy, entropy, objective};
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
  check_entries(densities);
  check_coupling(options, densities.size());
  std::vector<Numbers> shares;
  std::vector<Numbers> logs;
  for (const Tensor& density : densities) {
    shares.push_back(normalised(density));
    logs.push_back(logarithms(shares.back()));
  }
  const double coupling = coupling_energy(shares, logs, options);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double effective = total + options.entropy_weight;
  const Numbers best = pooled(logs, weights, effective);
  const Numbers start = weighted_mean(shares, weights, total);
  const DeviceId device = densities[0].device();
  std::vector<BarycenterIntermediate> stages;
  double bound = std::numeric_limits<double>::infinity();
  for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    Numbers p(best.size());
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = (1.0 - alpha) * start[i] + alpha * best[i];
    double energy = 0.0;
    for (std::size_t u = 0; u < shares.size(); ++u) energy += weights[u] * divergence(p, shares[u]);
    const double entropy = entropy_of(p);
    const double objective = energy - options.entropy_weight * entropy + coupling;
    zspace::check_finite(kName, "objective", objective);
    // Objectives do not increase by convexity: where they seem to, it is rounding.
    bound = std::min(bound, objective);
    stages.push_back({alpha, as_tensor(p, shape, device), energy, entropy, bound});
  }
  const BarycenterIntermediate& last = stages.back();
  return {last.density.clone(), last.kl_energy, last.entropy, coupling,
          last.objective,       effective,      stages};
}

}  // namespace spiraltorch
