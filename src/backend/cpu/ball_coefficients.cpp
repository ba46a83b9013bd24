#include <cmath>

#include "backend/cpu/ball_stage.hpp"

// Coefficients written in smooth functions of squared lengths (tanh √n/√n and its like), so that no
// origin or coincidence needs a case of its own, and in sums of positive terms.
namespace spiraltorch::cpu::coefficients {
namespace {

constexpr double kSeries = 1e-3;  // below, six terms are exact to double

// Value and derivative of Σ c_k nᵏ.
template <std::size_t terms>
Dual power_series(const Dual& n, const double (&c)[terms]) {
  double value = 0.0;
  double slope = 0.0;
  for (std::size_t k = terms; k-- > 0;) {
    slope = slope * n.value + value;
    value = value * n.value + c[k];
  }
  return chain(value, n, slope);
}

// tanh(√n)/√n.
Dual tanh_ratio(const Dual& n) {
  if (n.value < kSeries) {
    return power_series(n, {1.0, -1.0 / 3, 2.0 / 15, -17.0 / 315, 62.0 / 2835, -1382.0 / 155925});
  }
  const double root = std::sqrt(n.value);
  const double y = std::tanh(root);
  const double sech = 1.0 / std::cosh(root);
  return chain(y / root, n, 0.5 * (sech * sech - y / root) / n.value);
}

// artanh(√n)/√n, n < 1.
Dual artanh_ratio(const Dual& n) {
  if (n.value < kSeries)
    return power_series(n, {1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11});
  const double root = std::sqrt(n.value);
  const double ratio = std::atanh(root) / root;
  return chain(ratio, n, 0.5 * (1.0 / (1.0 - n.value) - ratio) / n.value);
}

// asinh(√n)/√n.
Dual asinh_ratio(const Dual& n) {
  if (n.value < kSeries) {
    return power_series(n, {1.0, -1.0 / 6, 3.0 / 40, -5.0 / 112, 35.0 / 1152, -63.0 / 2816});
  }
  const double root = std::sqrt(n.value);
  const double ratio = std::asinh(root) / root;
  return chain(ratio, n, 0.5 * (1.0 / std::sqrt(1.0 + n.value) - ratio) / n.value);
}

// 1 − κ|x|².
Dual gap(const Products& p, const Dual& squares) { return Dual(1.0) - p.kappa * squares; }

// sinh² of half the scaled distance of a and −b: κ|s|²/((1−κ|a|²)(1−κ|b|²)).
Dual sinh_squared(const Products& p) { return p.kappa * p.ss / (gap(p, p.aa) * gap(p, p.bb)); }

// D of a ⊕ b.
Dual denominator(const Products& p) { return p.kappa * p.ss + gap(p, p.aa) * gap(p, p.bb); }

}  // namespace

Combination identity(const Products&) { return {1.0, 0.0, 0.0, 0.0}; }

Combination expmap0(const Products& p) { return {tanh_ratio(p.kappa * p.aa), 0.0, 0.0, 0.0}; }

Combination logmap0(const Products& p) { return {artanh_ratio(p.kappa * p.aa), 0.0, 0.0, 0.0}; }

Combination mobius_scalar(const Products& p) {
  const Dual n = p.kappa * p.aa;
  const Dual angle = p.t * artanh_ratio(n);
  return {angle * tanh_ratio(n * angle * angle), 0.0, 0.0, 0.0};
}

Combination mobius_sum(const Products& p) {
  const Dual d = denominator(p);
  return {p.kappa * p.ss / d, gap(p, p.aa) / d, 0.0, 0.0};
}

Combination expmap_step(const Products& p) {
  const Dual c = gap(p, p.aa);
  return {0.0, 0.0, tanh_ratio(p.kappa * p.vv / (c * c)) / c, 0.0};
}

// artanh(√κ|u|) = asinh(√m) and κ|u|² = m/(1+m) for u = (−a) ⊕ (−b), m the sinh² above.
Combination logmap(const Products& p) {
  const Dual m = sinh_squared(p);
  const Dual h = asinh_ratio(m) / (gap(p, p.bb) * sqrt(Dual(1.0) + m));
  return {-(h * p.kappa * p.ss), -(h * gap(p, p.aa)), 0.0, 0.0};
}

Combination geodesic_step(const Products& p) {
  const Dual m = sinh_squared(p);
  const Dual angle = p.t * asinh_ratio(m);
  const Dual k = angle * tanh_ratio(m * angle * angle) * sqrt(Dual(1.0) + m) / denominator(p);
  return {-(k * p.kappa * p.ss), -(k * gap(p, p.aa)), 0.0, 0.0};
}

// v + 2(Aa + Bb)/D with b = s − a: (A − B)a + Bs, where the large terms have cancelled.
Combination gyration(const Products& p) {
  const Dual scale = Dual(2.0 * p.kappa) / denominator(p);
  const Dual on_a = p.sv * (p.kappa * p.ss + gap(p, p.bb)) - p.av * p.kappa * p.ss;
  const Dual on_s = p.sv * p.kappa * p.aa + p.av * gap(p, p.aa);
  return {scale * on_a, -(scale * on_s), 1.0, 0.0};
}

Combination transport(const Products& p) {
  const Combination turned = gyration(p);
  const Dual scale = gap(p, p.aa) / gap(p, p.bb);
  return {scale * turned.a, scale * turned.s, scale, 0.0};
}

Combination dist(const Products& p) {
  const Dual m = sinh_squared(p);
  return {0.0, 0.0, 0.0, Dual(2.0 / std::sqrt(p.kappa)) * sqrt(m) * asinh_ratio(m)};
}

Combination squared_dist(const Products& p) {
  const Dual m = sinh_squared(p);
  const Dual ratio = asinh_ratio(m);
  return {0.0, 0.0, 0.0, Dual(4.0 / p.kappa) * m * ratio * ratio};
}

Combination conformal_factor(const Products& p) {
  return {0.0, 0.0, 0.0, Dual(2.0) / gap(p, p.aa)};
}

Combination egrad2rgrad(const Products& p) {
  const Dual c = gap(p, p.aa);
  return {0.0, 0.0, 0.25 * c * c, 0.0};
}

Combination lorentz(const Products& p) {
  const Dual c = std::sqrt(p.kappa) * gap(p, p.aa);
  return {Dual(2.0) / gap(p, p.aa), 0.0, 0.0, (Dual(1.0) + p.kappa * p.aa) / c};
}

Combination weighted(const Products& p) {
  const Dual by = p.t / gap(p, p.aa);
  return {2.0 * by, 0.0, 0.0, by * (Dual(1.0) + p.kappa * p.aa)};
}

Combination half(const Products& p) {
  return {Dual(1.0) / (Dual(1.0) + sqrt(gap(p, p.aa))), 0.0, 0.0, 0.0};
}

}  // namespace spiraltorch::cpu::coefficients
