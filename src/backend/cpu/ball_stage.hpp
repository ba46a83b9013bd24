#pragma once

#include <cstdint>
#include <vector>

#include "backend/cpu/dual.hpp"

// Gradients of row-wise operations of the Poincaré ball, in double. A result row is a combination
// of the operand rows whose coefficients are functions of their inner products, so its gradient
// needs, beside inner products with the gradient that arrives, the coefficients' derivatives only:
// forward-mode numbers give them exactly, at a cost that does not grow with the row.
namespace spiraltorch::cpu {

/// Inner products of rows a, b, s = a + b and v, a number t beside them, and κ. The sum is a row of
/// its own: formed from coordinates, |s|² and ⟨s, v⟩ do not cancel.
struct Products {
  Dual aa, bb, ss, vv, av, sv, t;
  double kappa;
};

/// A result row a·a + s·(a + b) + v·v, and a number.
struct Combination {
  Dual a, s, v, number;
};

using Coefficients = Combination (*)(const Products&);

/// Operand rows; null where an operation has none.
struct StageRows {
  const double* a = nullptr;
  const double* b = nullptr;
  const double* v = nullptr;
  double t = 0.0;
};

/// Gradients are added here; t's is a number.
struct StageGradients {
  double* a = nullptr;
  double* b = nullptr;
  double* v = nullptr;
  double t = 0.0;
};

/// One combination of rows of `cols` numbers.
class Stage {
 public:
  explicit Stage(std::int64_t cols) : cols_(cols), sum_(static_cast<std::size_t>(cols), 0.0) {}
  void evaluate(Coefficients coefficients, const StageRows& rows, double kappa);
  /// The coefficients, with their derivatives by the products.
  [[nodiscard]] const Combination& result() const noexcept { return result_; }
  /// The result row.
  void value(double* out) const;
  /// Adds the gradients of ⟨g, row⟩ + g_number·number; g may be null.
  void pull_back(const double* g, double g_number, StageGradients& into) const;

 private:
  std::int64_t cols_;
  std::vector<double> sum_;
  StageRows rows_;
  Combination result_;
};

[[nodiscard]] double dot(const double* a, const double* b, std::int64_t cols);

/// Scales a row outside the ball to the radius of `project`; returns the factor, 1 inside.
double clamp_row(double* row, std::int64_t cols, double kappa);
/// A row as a point, times `sign`; returns its factor, NaN where it is not finite.
double load_point(const float* from, double sign, double kappa, std::vector<double>& to);
/// Turns a gradient by the clamped row into one by the row itself: (ρ/|x|)(I − x̂x̂ᵀ)g outside.
/// `clamped` has the row's direction, `factor` is what clamp_row gave.
void clamp_gradient(const double* clamped, double factor, std::int64_t cols, double* g);

/// The coefficients of each operation; signs and roles of the rows in docs of ball_grad.cpp.
namespace coefficients {
Combination identity(const Products& p);
Combination expmap0(const Products& p);           ///< of a
Combination logmap0(const Products& p);           ///< of a
Combination mobius_scalar(const Products& p);     ///< t ⊗ a
Combination mobius_sum(const Products& p);        ///< a ⊕ b
Combination expmap_step(const Products& p);       ///< w with a ⊕ w = exp_a(v)
Combination logmap(const Products& p);            ///< at a, of −b
Combination geodesic_step(const Products& p);     ///< t ⊗ ((−a) ⊕ (−b))
Combination gyration(const Products& p);          ///< gyr[a, b]v
Combination transport(const Products& p);         ///< (λ_b/λ_a) gyr[a, b]v
Combination dist(const Products& p);              ///< number: of a and −b
Combination squared_dist(const Products& p);      ///< number: its square
Combination conformal_factor(const Products& p);  ///< number: λ_a
Combination egrad2rgrad(const Products& p);       ///< v/λ_a²
Combination lorentz(const Products& p);           ///< number: time; row: space
Combination weighted(const Products& p);          ///< row tλ_a·a, number t(λ_a − 1)
Combination half(const Products& p);              ///< ½ ⊗ a
}  // namespace coefficients

}  // namespace spiraltorch::cpu
