#pragma once

#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// The hyperboloid of curvature c < 0, |c| in [10⁻¹², 10¹²]; an immutable value.
///
/// Points are (r, c+1) rows X = (x₀, x_s) with −κ⟨X,X⟩ = 1, x₀ > 0 (κ = −c) for the product
/// ⟨X,Y⟩ = −x₀y₀ + ⟨x_s,y_s⟩; tangent vectors are V with ⟨X,V⟩ = 0. Time is redundant: every
/// operation recomputes it from the columns of space, so gradients arrive in those. A (1, c+1)
/// operand is repeated against r rows. Points beyond radius 40/√κ are scaled back to it. A row with
/// a non-finite entry gives a row of NaN. Rows are evaluated in double and rounded once.
///
/// The operations of the gyrovector space and means go through the ball and have its margin: their
/// points are clamped to radius 12.2/√κ. All operations have gradients by each tensor operand.
///
/// Errors: `curvature`; `shape_mismatch`; `device`; weights as of `PoincareBall`.
///
/// Source: Nickel, Kiela (2018).
///
/// @code
///   const Lorentz hyperboloid(-1.0);
///   Tensor x = hyperboloid.expmap0(hyperboloid.lift(Tensor(1, 2, {0.1F, 0.2F})));
/// @endcode
class SPIRALTORCH_API Lorentz {
 public:
  explicit Lorentz(double curvature = -1.0);

  [[nodiscard]] double curvature() const noexcept { return curvature_; }
  /// 1/√κ.
  [[nodiscard]] double radius() const noexcept;
  [[nodiscard]] std::string repr() const;
  friend bool operator==(const Lorentz&, const Lorentz&) = default;

  /// X with its time recomputed; beyond radius 40/√κ scaled back.
  [[nodiscard]] Tensor project(const Tensor& x) const;
  /// (r,c) → (r,c+1): a column of zeros first, a tangent vector at the origin.
  [[nodiscard]] Tensor lift(const Tensor& t) const;
  /// (r,c+1) → (r,c): without the time column.
  [[nodiscard]] Tensor drop(const Tensor& t) const;
  /// cosh(√κ‖V‖)X + sinh(√κ‖V‖)/(√κ‖V‖)·V.
  [[nodiscard]] Tensor expmap(const Tensor& x, const Tensor& v) const;
  /// The tangent vector at X whose exponential is Y; 0 where Y = X.
  [[nodiscard]] Tensor logmap(const Tensor& x, const Tensor& y) const;
  /// `expmap` at the origin (1/√κ, 0, …).
  [[nodiscard]] Tensor expmap0(const Tensor& v) const;
  /// `logmap` at the origin.
  [[nodiscard]] Tensor logmap0(const Tensor& y) const;
  /// (r,1): geodesic distances, squared on demand.
  [[nodiscard]] Tensor dist(const Tensor& x, const Tensor& y, bool squared = false) const;
  /// (r,s) distances of all pairs of rows; without y of x to itself, zeros on the diagonal.
  [[nodiscard]] Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y = {}) const;
  /// V + κ⟨Y,V⟩/(1 − κ⟨X,Y⟩)·(X + Y): V carried along the geodesic from X to Y.
  [[nodiscard]] Tensor parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v) const;
  /// exp_X(t·log_X Y).
  [[nodiscard]] Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t) const;
  /// Riemannian gradient H + κ⟨X,H⟩X of a Euclidean differential G, H = G with its time negated.
  [[nodiscard]] Tensor egrad2rgrad(const Tensor& x, const Tensor& g) const;
  /// (r,1): 1 + √κx₀, the conformal factor of the ball's point.
  [[nodiscard]] Tensor conformal_factor(const Tensor& x) const;

  /// φ(p) = ((1+κ‖p‖²)/√κ, 2p)/(1−κ‖p‖²), an isometry from the ball of the same curvature.
  [[nodiscard]] Tensor from_poincare(const Tensor& p) const;
  /// x_s/(1 + √κx₀), its inverse.
  [[nodiscard]] Tensor to_poincare(const Tensor& x) const;
  /// A tangent vector w of the ball at p, carried by φ.
  [[nodiscard]] Tensor from_poincare_tangent(const Tensor& p, const Tensor& w) const;
  /// A tangent vector V at X, carried to the ball.
  [[nodiscard]] Tensor to_poincare_tangent(const Tensor& x, const Tensor& v) const;

  /// φ of the ball's x ⊕ y.
  [[nodiscard]] Tensor mobius_add(const Tensor& x, const Tensor& y) const;
  /// φ of the ball's t ⊗ x.
  [[nodiscard]] Tensor mobius_scalar(const Scalars& t, const Tensor& x) const;
  /// φ of the ball's m ⊗ x, m of shape (c,q).
  [[nodiscard]] Tensor mobius_matvec(const Tensor& m, const Tensor& x) const;
  /// φ of the ball's gyr[a, b]v: three points.
  [[nodiscard]] Tensor gyration(const Tensor& a, const Tensor& b, const Tensor& v) const;
  /// (1,c+1): ΣwX normalised to the hyperboloid.
  [[nodiscard]] Tensor gyromidpoint(const Tensor& x, const Weights& weights = {}) const;
  /// (1,c+1): argmin_m Σ w d(m, X)²; `not_converged` after max_iter steps.
  [[nodiscard]] Tensor frechet_mean(const Tensor& x, const Weights& weights = {}, double tol = 1e-9,
                                    std::int64_t max_iter = 1000) const;

 private:
  [[nodiscard]] PoincareBall ball() const { return PoincareBall(curvature_); }
  double curvature_;
};

/// The same operations as free functions, the manifold last.
namespace geometry {
[[nodiscard]] SPIRALTORCH_API Tensor project(const Tensor& x, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor lift(const Tensor& t, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor drop(const Tensor& t, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor expmap(const Tensor& x, const Tensor& v, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor logmap(const Tensor& x, const Tensor& y, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor expmap0(const Tensor& v, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor logmap0(const Tensor& y, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor dist(const Tensor& x, const Tensor& y, const Lorentz& h,
                                          bool squared = false);
[[nodiscard]] SPIRALTORCH_API Tensor dist_matrix(const Tensor& x, const std::optional<Tensor>& y,
                                                 const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor parallel_transport(const Tensor& x, const Tensor& y,
                                                        const Tensor& v, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor geodesic(const Tensor& x, const Tensor& y, const Scalars& t,
                                              const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor egrad2rgrad(const Tensor& x, const Tensor& g,
                                                 const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor conformal_factor(const Tensor& x, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor from_poincare(const Tensor& p, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor to_poincare(const Tensor& x, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor from_poincare_tangent(const Tensor& p, const Tensor& w,
                                                           const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor to_poincare_tangent(const Tensor& x, const Tensor& v,
                                                         const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_add(const Tensor& x, const Tensor& y, const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_scalar(const Scalars& t, const Tensor& x,
                                                   const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor mobius_matvec(const Tensor& m, const Tensor& x,
                                                   const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor gyration(const Tensor& a, const Tensor& b, const Tensor& v,
                                              const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor gyromidpoint(const Tensor& x, const Weights& weights,
                                                  const Lorentz& h);
[[nodiscard]] SPIRALTORCH_API Tensor frechet_mean(const Tensor& x, const Weights& weights,
                                                  const Lorentz& h);
}  // namespace geometry

}  // namespace spiraltorch
