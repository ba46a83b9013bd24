#pragma once

#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// One stage between the weighted mean of the densities (α = 0) and their barycenter (α = 1).
struct BarycenterIntermediate {
  double interpolation;  ///< α
  Tensor density;
  double kl_energy;
  double entropy;
  double objective;
  using Values = std::tuple<double, Tensor, double, double, double>;
  /// The five values in this order, the density a copy.
  [[nodiscard]] SPIRALTORCH_API Values as_tuple() const;
  [[nodiscard]] SPIRALTORCH_API std::string repr() const;
};

/// The barycenter of densities and its energies; five intermediates with objectives that do not
/// increase.
struct ZSpaceBarycenter {
  Tensor density;
  double kl_energy;         ///< Σ W_u KL(ρ‖ρ̂_u)
  double entropy;           ///< S(ρ)
  double coupling_energy;   ///< C
  double objective;         ///< F(ρ) = kl_energy − γ S + C
  double effective_weight;  ///< W + γ
  std::vector<BarycenterIntermediate> intermediates;
  [[nodiscard]] SPIRALTORCH_API std::string repr() const;
};

/// Weights of the terms of a barycenter's objective.
struct BarycenterOptions {
  double entropy_weight = 0.0;       ///< γ: > 0 smooths, < 0 sharpens
  double beta_j = 0.0;               ///< β
  std::optional<Tensor> coupling{};  ///< J, (M, M)
};

/// argmin over the simplex of Σ W_u KL(ρ‖ρ̂_u) − γ S(ρ) + C in closed form: the one-sided KL
/// centroid (logarithmic opinion pool), tempered by W/(W+γ) (Genest & Zidek 1986; Nielsen & Nock
/// 2009). Densities are of one shape, each floored at 1e-12 and then divided by its mass, so that
/// their scale matters only where entries lie below the floor; weights default to 1.
///
/// Errors, in this order: `empty_input`; `length_mismatch`; `non_finite` (γ, β, weights);
/// `invalid_value` (a weight < 0, all 0); `degenerate_barycenter` (W + γ ≤ 0); `shape_mismatch`;
/// `non_finite`, `invalid_value` (entries; zero mass); J: `shape_mismatch`, `non_finite`. Sums and
/// energies that overflow double are `non_finite`.
[[nodiscard]] SPIRALTORCH_API ZSpaceBarycenter z_space_barycenter(
    std::span<const Tensor> densities, const std::optional<std::vector<double>>& weights = {},
    const BarycenterOptions& options = {});

}  // namespace spiraltorch
