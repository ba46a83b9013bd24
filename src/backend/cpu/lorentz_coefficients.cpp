#include <cmath>

#include "backend/cpu/ball_mean.hpp"
#include "backend/cpu/lorentz_stage.hpp"
#include "spiraltorch/base/limits.hpp"

// Coefficients of the hyperboloid's operations over the rows of space: a = x, b = −y, s = x − y, v.
// Time is a function of space; numbers that are times are in units of 1/√κ. Functions of squared
// lengths need no case of their own at origins or coincident points.
namespace spiraltorch::cpu::lorentz {
namespace {

constexpr double kSeries = 1e-3;   // below, six terms are exact to double
constexpr double kLongest = 85.0;  // a longer geodesic than any between two points

Dual scaled(double value, double slope, const Dual& n) { return chain(value, n, slope); }

double series(double n, const double (&c)[6]) {
  double value = 0.0;
  for (std::size_t k = 6; k-- > 0;) value = value * n + c[k];
  return value;
}

// sinh(√n)/√n and its derivative; of constant length beyond kLongest.
double sinh_ratio_value(double n) {
  if (n < kSeries) {
    return series(n, {1.0, 1.0 / 6, 1.0 / 120, 1.0 / 5040, 1.0 / 362880, 1.0 / 39916800});
  }
  const double root = std::sqrt(n);
  return std::sinh(std::min(root, kLongest)) / root;
}

double cosh_value(double n) { return std::cosh(std::min(std::sqrt(std::max(n, 0.0)), kLongest)); }

Dual sinh_ratio(const Dual& n) {
  const double value = sinh_ratio_value(n.value);
  if (n.value < kSeries) {
    return scaled(value,
                  series(n.value, {1.0 / 6, 2.0 / 120, 3.0 / 5040, 4.0 / 362880, 5.0 / 39916800,
                                   6.0 / 6227020800}),
                  n);
  }
  const bool is_long = n.value > kLongest * kLongest;
  return scaled(value, 0.5 * ((is_long ? 0.0 : cosh_value(n.value)) - value) / n.value, n);
}

Dual cosh_root(const Dual& n) {
  const bool is_long = n.value > kLongest * kLongest;
  return scaled(cosh_value(n.value), is_long ? 0.0 : 0.5 * sinh_ratio_value(n.value), n);
}

// asinh(√n)/√n.
Dual asinh_ratio(const Dual& n) {
  const double v = n.value;
  if (v < kSeries) {
    return scaled(
        series(v, {1.0, -1.0 / 6, 3.0 / 40, -5.0 / 112, 35.0 / 1152, -63.0 / 2816}),
        series(v, {-1.0 / 6, 6.0 / 40, -15.0 / 112, 140.0 / 1152, -315.0 / 2816, 1386.0 / 13312}),
        n);
  }
  const double root = std::sqrt(v);
  const double ratio = std::asinh(root) / root;
  return scaled(ratio, 0.5 * (1.0 / std::sqrt(1.0 + v) - ratio) / v, n);
}

Dual positive(const Dual& n) { return n.value > 0.0 ? n : Dual(0.0); }

// √κ times the time of a row of squared length n.
Dual time_of(const Products& p, const Dual& n) { return sqrt(Dual(1.0) + p.kappa * n); }

// Two points: v is −y, so that ⟨a, v⟩ and ⟨s, v⟩ are sums of their own. ⟨X−Y, X−Y⟩ is formed from
// differences where the points are close, from ⟨X, Y⟩ where they are not.
struct Pair {
  Dual x0, y0;
  Dual apart;  // x0 − y0
  Dual m;      // sinh² of half the scaled distance

  explicit Pair(const Products& p)
      : x0(time_of(p, p.aa)),
        y0(time_of(p, p.bb)),
        apart(p.kappa * (p.ss - 2.0 * p.sv) / (x0 + y0)),
        m(0.25 * positive(squares(p))) {}
  [[nodiscard]] Dual squares(const Products& p) const {
    const Dual both = x0 * y0;
    if (p.kappa * p.ss.value < both.value) return p.kappa * p.ss - apart * apart;
    return 2.0 * (both + p.kappa * p.av - Dual(1.0));
  }
  // d/sinh d.
  [[nodiscard]] Dual unit() const { return asinh_ratio(m) / sqrt(Dual(1.0) + m); }
};

Combination point(const Products& p) { return {1.0, 0.0, 0.0, time_of(p, p.aa)}; }

Combination expmap0(const Products& p) {
  const Dual n = p.kappa * p.aa;
  return {sinh_ratio(n), 0.0, 0.0, cosh_root(n)};
}

Combination logmap0(const Products& p) { return {asinh_ratio(p.kappa * p.aa), 0.0, 0.0, 0.0}; }

Combination expmap(const Products& p) {
  const Dual x0 = time_of(p, p.aa);
  const Dual v0 = p.kappa * p.av / x0;
  const Dual n = positive(p.kappa * p.vv - v0 * v0);
  const Dual along = sinh_ratio(n);
  const Dual stay = cosh_root(n);
  return {stay, 0.0, along, stay * x0 + along * v0};
}

Combination logmap(const Products& p) {
  const Pair q(p);
  const Dual h = q.unit();
  const Dual on_x = -(2.0 * h * q.m);
  return {on_x, -h, 0.0, on_x * q.x0 - h * q.apart};
}

Combination geodesic(const Products& p) {
  const Pair q(p);
  const Dual ratio = asinh_ratio(q.m);
  const Dual n = 4.0 * q.m * ratio * ratio * p.t * p.t;
  const Dual reach = p.t * q.unit() * sinh_ratio(n);
  const Dual on_x = cosh_root(n) - 2.0 * q.m * reach;
  return {on_x, -reach, 0.0, on_x * q.x0 - reach * q.apart};
}

// V + κ⟨Y,V⟩/(1 − κ⟨X,Y⟩)(X + Y), with ⟨Y,V⟩ = −⟨X − Y, V⟩.
Combination transport(const Products& p) {
  const Dual x0 = time_of(p, p.aa);
  const Dual y0 = time_of(p, p.bb);
  const Dual apart = p.kappa * (p.aa - p.bb) / (x0 + y0);
  const Dual v0 = p.kappa * p.av / x0;
  const Dual q = positive(p.kappa * p.ss - apart * apart);
  const Dual k = (apart * v0 - p.kappa * p.sv) / (Dual(2.0) + 0.5 * q);
  return {2.0 * k, -k, 1.0, v0 + k * (x0 + y0)};
}

Combination dist(const Products& p) {
  const Pair q(p);
  return {0.0, 0.0, 0.0, 2.0 * sqrt(q.m) * asinh_ratio(q.m)};
}

Combination squared_dist(const Products& p) {
  const Pair q(p);
  const Dual ratio = asinh_ratio(q.m);
  return {0.0, 0.0, 0.0, 4.0 * q.m * ratio * ratio};
}

Combination conformal_factor(const Products& p) {
  return {0.0, 0.0, 0.0, Dual(1.0) + time_of(p, p.aa)};
}

// H + κ⟨X,H⟩X for H = (−t, v).
Combination egrad2rgrad(const Products& p) {
  const Dual x0 = time_of(p, p.aa);
  const Dual t = std::sqrt(p.kappa) * p.t;
  const Dual xh = x0 * t + p.kappa * p.av;
  return {xh, 0.0, 1.0, p.kappa * p.aa * t + p.kappa * p.av * x0};
}

Combination to_poincare(const Products& p) {
  const Dual c = Dual(1.0) / (Dual(1.0) + time_of(p, p.aa));
  const Dual length = sqrt(p.kappa * p.aa);
  if (ball_clamp_factor((c * length).value) == 1.0) return {c, 0.0, 0.0, 0.0};
  return {kBallMax / length, 0.0, 0.0, 0.0};
}

Combination to_poincare_tangent(const Products& p) {
  const Dual x0 = time_of(p, p.aa);
  const Dual c = Dual(1.0) / (Dual(1.0) + x0);
  return {-(p.kappa * p.av / x0 * c * c), 0.0, c, 0.0};
}

Combination from_poincare_tangent(const Products& p) {
  const Dual factor = Dual(2.0) / (Dual(1.0) - p.kappa * p.aa);
  const Dual on_p = factor * factor * (p.kappa * p.av);
  return {on_p, 0.0, factor, on_p};
}

}  // namespace

Coefficients coefficients_of(LorentzOp op) {
  switch (op) {
    case LorentzOp::expmap0:
      return expmap0;
    case LorentzOp::logmap0:
      return logmap0;
    case LorentzOp::expmap:
      return expmap;
    case LorentzOp::logmap:
      return logmap;
    case LorentzOp::parallel_transport:
      return transport;
    case LorentzOp::dist:
      return dist;
    case LorentzOp::squared_dist:
      return squared_dist;
    case LorentzOp::conformal_factor:
      return conformal_factor;
    case LorentzOp::egrad2rgrad:
      return egrad2rgrad;
    case LorentzOp::geodesic:
      return geodesic;
    case LorentzOp::to_poincare:
      return to_poincare;
    case LorentzOp::to_poincare_tangent:
      return to_poincare_tangent;
    case LorentzOp::from_poincare_tangent:
      return from_poincare_tangent;
    default:
      return point;
  }
}

}  // namespace spiraltorch::cpu::lorentz
