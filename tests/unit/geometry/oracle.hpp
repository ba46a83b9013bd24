#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

// The operations of the ball as the specification writes them, in long double.
namespace oracle {

using Real = long double;
using Row = std::vector<Real>;

inline Real dot(const Row& a, const Row& b) {
  Real sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}
inline Row combine(Real a, const Row& x, Real b, const Row& y) {
  Row out(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) out[j] = a * x[j] + b * y[j];
  return out;
}
inline Row scaled(Real a, const Row& x) { return combine(a, x, 0, x); }

struct Ball {
  Real k;

  [[nodiscard]] Real length(const Row& x) const { return std::sqrt(k * dot(x, x)); }
  [[nodiscard]] Real lambda(const Row& x) const { return 2 / (1 - k * dot(x, x)); }
  [[nodiscard]] Row project(const Row& x) const {
    const Real most = 1.0L - 1e-5L;
    const Real s = length(x);
    return s <= most * (1.0L + 0x1p-20L) ? x : scaled(most / s, x);
  }
  [[nodiscard]] Row exp0(const Row& v) const {
    const Real s = length(v);
    return project(s == 0 ? v : scaled(std::tanh(s) / s, v));
  }
  [[nodiscard]] Row import(const Row& x) const {
    return length(x) >= 1.0001L ? exp0(x) : project(x);
  }
  [[nodiscard]] Row log0(const Row& y) const {
    const Row p = project(y);
    const Real s = length(p);
    return s == 0 ? p : scaled(std::atanh(s) / s, p);
  }
  [[nodiscard]] Row sum(const Row& x, const Row& y) const {
    const Real xy = k * dot(x, y), xx = k * dot(x, x), yy = k * dot(y, y);
    const Real d = 1 + 2 * xy + xx * yy;
    return combine((1 + 2 * xy + yy) / d, x, (1 - xx) / d, y);
  }
  [[nodiscard]] Row add(const Row& x, const Row& y) const {
    return project(sum(project(x), project(y)));
  }
  [[nodiscard]] Row times(Real t, const Row& x) const {
    const Real s = length(x);
    return s == 0 ? x : scaled(std::tanh(t * std::atanh(s)) / s, x);
  }
  [[nodiscard]] Row exp(const Row& at, const Row& v) const {
    const Row x = project(at);
    const Real s = length(v);
    return s == 0 ? x : project(sum(x, scaled(std::tanh(lambda(x) * s / 2) / s, v)));
  }
  [[nodiscard]] Row log(const Row& at, const Row& to) const {
    const Row x = project(at);
    const Row u = sum(scaled(-1, x), project(to));
    const Real s = length(u);
    return s == 0 ? u : scaled(2 / lambda(x) * std::atanh(s) / s, u);
  }
  [[nodiscard]] Row gyr(const Row& a0, const Row& b0, const Row& v) const {
    const Row a = project(a0), b = project(b0);
    const Real av = dot(a, v), bv = dot(b, v), ab = dot(a, b), aa = dot(a, a), bb = dot(b, b);
    const Real on_a = -k * k * av * bb + k * bv + 2 * k * k * ab * bv;
    const Real on_b = -k * k * bv * aa - k * av;
    const Real d = 1 + 2 * k * ab + k * k * aa * bb;
    return combine(1, v, 1, combine(2 * on_a / d, a, 2 * on_b / d, b));
  }
  [[nodiscard]] Row transport(const Row& x, const Row& y, const Row& v) const {
    const Row p = project(x), q = project(y);
    return scaled(lambda(p) / lambda(q), gyr(q, scaled(-1, p), v));
  }
  [[nodiscard]] Real dist(const Row& x0, const Row& y0) const {
    const Row x = project(x0), y = project(y0);
    const Real gaps = (1 - k * dot(x, x)) * (1 - k * dot(y, y));
    return 2 / std::sqrt(k) * std::asinh(length(combine(1, x, -1, y)) / std::sqrt(gaps));
  }
  [[nodiscard]] Row geodesic(const Row& x0, const Row& y0, Real t) const {
    const Row x = project(x0);
    return project(sum(x, times(t, sum(scaled(-1, x), project(y0)))));
  }
  [[nodiscard]] Row lorentz(const Row& x0) const {
    const Row x = project(x0);
    const Real n = k * dot(x, x);
    Row out{(1 + n) / std::sqrt(k) / (1 - n)};
    for (const Real v : x) out.push_back(2 * v / (1 - n));
    return out;
  }
  [[nodiscard]] Row midpoint(const std::vector<Row>& x, const std::vector<Row>& w) const {
    Row total(x[0].size(), 0);
    Real weight = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Row p = project(x[i]);
      total = combine(1, total, w[i][0] * lambda(p), p);
      weight += w[i][0] * (lambda(p) - 1);
    }
    const Row m = scaled(1 / weight, total);
    return project(scaled(1 / (1 + std::sqrt(1 - k * dot(m, m))), m));
  }
  /// The flow of the specification, far beyond its tolerance.
  [[nodiscard]] Row mean(const std::vector<Row>& x, const std::vector<Row>& w) const {
    Real total = 0;
    for (const Row& v : w) total += v[0];
    Row m = midpoint(x, w);
    for (int step = 0; step < 1000; ++step) {
      Row flow(m.size(), 0);
      Real bound = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Real rho = std::sqrt(k) * dist(m, x[i]);
        flow = combine(1, flow, w[i][0] / total, log(m, x[i]));
        bound += w[i][0] / total * (rho == 0 ? 1 : rho / std::tanh(rho));
      }
      if (lambda(m) * length(flow) < 1e-18L) break;
      m = exp(m, scaled(1 / bound, flow));
    }
    return m;
  }
};

}  // namespace oracle
