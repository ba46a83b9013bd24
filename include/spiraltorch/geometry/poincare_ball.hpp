#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// A number, or one number a row as an (r,1) tensor.
using Scalars = std::variant<double, Tensor>;
/// Weights of rows: none (all 1), numbers, or an (r,1) tensor; finite, ≥ 0, positive sum.
using Weights = std::variant<std::monostate, std::vector<double>, Tensor>;

/// The Poincaré ball of curvature c < 0, |c| in [10⁻¹², 10¹²]; an immutable value.
///
/// Rows of tensors are points of the ball or tangent vectors at them; a (1,c) operand is repeated
/// against r rows. Points are clamped to √κ‖x‖ ≤ 1 − 10⁻⁵ (κ = −c) on the way in and out; a row
/// inside is untouched, bit for bit. A row with a non-finite entry gives a row of NaN. Every row is
/// evaluated in double and rounded once.
///
/// Every operation has gradients by each tensor operand, t and weights included: those of the
/// function as computed; of `frechet_mean`, by the implicit function theorem, O(r·c² + c³). A row
/// scaled back to radius ρ passes (ρ/‖x‖)(I − x̂x̂ᵀ), and `dist` at coincident points has gradient 0.
///
/// Errors: `curvature`; `shape_mismatch`; `device`; weights: `length_mismatch`, `non_finite`,
/// `invalid_value`.
///
/// Sources: Ungar (2005, 2008); Ganea, Bécigneul, Hofmann (2018).
///
/// @code
///   const PoincareBall ball(-1.0);
///   Tensor d = ball.dist(Tensor(1, 2, {0.1F, 0.2F}), Tensor(1, 2, {0.3F, -0.4F}));
/// @endcode
class SPIRALTORCH_API PoincareBall {
 public:
  explicit PoincareBall(double curvature = -1.0);

  [[nodiscard]] double curvature() const noexcept { return curvature_; }
  /// 1/√κ.
  [[nodiscard]] double radius() const noexcept;
  [[nodiscard]] std::string repr() const;
  friend bool operator==(const PoincareBall&, const PoincareBall&) = default;

  /// x, or its radial projection to √κ‖x‖ = 1 − 10⁻⁵. Idempotent bit for bit.
  [[nodiscard]] Tensor project(const Tensor& x) const;
  /// Rows that may be Euclidean data: exp at the origin where √κ‖x‖ ≥ 1 + 10⁻⁴, else `project`.
  [[nodiscard]] Tensor import(const Tensor& x) const;
  /// tanh(√κ‖v‖)/(√κ‖v‖)·v.
  [[nodiscard]] Tensor expmap0(const Tensor& v) const;
  /// artanh(√κ‖y‖)/(√κ‖y‖)·y.
  [[nodiscard]] Tensor logmap0(const Tensor& y) const;
  /// x ⊕ y.
  [[nodiscard]] Tensor mobius_add(const Tensor& x, const Tensor& y) const;
  /// t ⊗ x = tanh(t·artanh(√κ‖x‖))/(√κ‖x‖)·x.
  [[nodiscard]] Tensor mobius_scalar(const Scalars& t, const Tensor& x) const;
  /// exp_0(log_0(x)·m), m of shape (c,q) → (r,q).
  [[nodiscard]] Tensor mobius_matvec(const Tensor& m, const Tensor& x) const;
  /// x ⊕ tanh(√κλ_x‖v‖/2)/(√κ‖v‖)·v; x where v = 0.
  [[nodiscard]] Tensor expmap(const Tensor& x, const Tensor& v) const;
  /// The tangent vector at x whose exponential is y.
  [[nodiscard]] Tensor logmap(const Tensor& x, const Tensor& y) const;
  /// gyr[a, b]v, the rotation ⊖(a⊕b)⊕(a⊕(b⊕v)), linear in v, any v.
  [[nodiscard]] Tensor gyration(const Tensor& a, const Tensor& b, const Tensor& v) const;
  /// (λ_x/λ_y)·gyr[y, −x]v: v carried along the geodesic from x to y.
  [[nodiscard]] Tensor parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v) const;
  /// (r,1): (2/√κ)·asinh(√κ‖x−y‖/√((1−κ‖x‖²)(1−κ‖y‖²))), squared on demand.
  [[nodiscard]] Tensor dist(const Tensor& x, const Tensor& y, bool squared = false) const;
  /// (r,s) distances of all pairs of rows; without y of x to itself, zeros on the diagonal.
  [[nodiscard]] Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y = {}) const;
  /// (r,1): λ_x = 2/(1 − κ‖x‖²).
  [[nodiscard]] Tensor conformal_factor(const Tensor& x) const;
  /// Riemannian gradient g/λ_x² of a Euclidean differential g.
  [[nodiscard]] Tensor egrad2rgrad(const Tensor& x, const Tensor& g) const;
  /// x ⊕ (t ⊗ ((−x) ⊕ y)): t = 0 → x, t = 1 → y, values outside extrapolate.
  [[nodiscard]] Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t) const;
  /// (1,c): ½⊗(Σw_iλ_i x_i / Σw_i(λ_i − 1)), the normalised Lorentz centroid (Law et al. 2019).
  [[nodiscard]] Tensor gyromidpoint(const Tensor& x, const Weights& weights = {}) const;
  /// (1,c): argmin_m Σ w_i d(m, x_i)², Karcher (1977) flow to a scaled gradient norm of tol;
  /// `not_converged` after max_iter steps.
  [[nodiscard]] Tensor frechet_mean(const Tensor& x, const Weights& weights = {}, double tol = 1e-9,
                                    std::int64_t max_iter = 1000) const;
  /// (r,c+1) points of the hyperboloid, time first: ((1+κ‖x‖²)/√κ, 2x)/(1−κ‖x‖²).
  [[nodiscard]] Tensor to_lorentz(const Tensor& x) const;

 private:
  double curvature_;
};

/// Throws `curvature` unless finite, negative and 10⁻¹² ≤ −curvature ≤ 10¹².
SPIRALTORCH_API void check_curvature(std::string_view op, double curvature);

/// The same operations as free functions, the manifold last.
namespace geometry {
[[nodiscard]] SPIRALTORCH_API Tensor project(const Tensor& x, const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor expmap0(const Tensor& v, const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor logmap0(const Tensor& y, const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_add(const Tensor& x, const Tensor& y,
                                                const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_scalar(const Scalars& t, const Tensor& x,
                                                   const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_matvec(const Tensor& m, const Tensor& x,
                                                   const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor expmap(const Tensor& x, const Tensor& v,
                                            const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor logmap(const Tensor& x, const Tensor& y,
                                            const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor gyration(const Tensor& a, const Tensor& b, const Tensor& v,
                                              const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor parallel_transport(const Tensor& x, const Tensor& y,
                                                        const Tensor& v, const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor dist(const Tensor& x, const Tensor& y,
                                          const PoincareBall& ball, bool squared = false);
[[nodiscard]] SPIRALTORCH_API Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y,
                                                 const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor conformal_factor(const Tensor& x, const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor egrad2rgrad(const Tensor& x, const Tensor& g,
                                                 const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t,
                                              const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor gyromidpoint(const Tensor& x, const Weights& weights,
                                                  const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor frechet_mean(const Tensor& x, const Weights& weights,
                                                  const PoincareBall& ball);
[[nodiscard]] SPIRALTORCH_API Tensor to_lorentz(const Tensor& x, const PoincareBall& ball);
}  // namespace geometry

}  // namespace spiraltorch
