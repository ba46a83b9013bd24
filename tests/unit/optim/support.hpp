#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "spiraltorch/optim/optimizer.hpp"
#include "spiraltorch/tensor/autograd.hpp"

/// What the tests of optimisers share: the rules once more, in plain double arithmetic.
namespace optim_test {

using namespace spiraltorch;
using Row = std::vector<double>;

inline double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}
inline Row mix(double s, const Row& a, double t, const Row& b) {
  Row out(a.size());
  for (std::size_t j = 0; j < a.size(); ++j) out[j] = s * a[j] + t * b[j];
  return out;
}

/// The ball's operations as the papers write them (Ungar 2008; Ganea et al. 2018).
struct Ball {
  double kappa;
  [[nodiscard]] double lambda(const Row& x) const { return 2 / (1 - kappa * dot(x, x)); }
  [[nodiscard]] Row add(const Row& x, const Row& y) const {
    const double xy = dot(x, y);
    const double xx = dot(x, x);
    const double yy = dot(y, y);
    const double d = 1 + 2 * kappa * xy + kappa * kappa * xx * yy;
    return mix((1 + 2 * kappa * xy + kappa * yy) / d, x, (1 - kappa * xx) / d, y);
  }
  [[nodiscard]] Row project(const Row& x) const {
    const double s = std::sqrt(kappa * dot(x, x));
    return s <= 1 - 1e-5 ? x : mix((1 - 1e-5) / s, x, 0, x);
  }
  [[nodiscard]] Row exp(const Row& x, const Row& v) const {
    const double n = std::sqrt(kappa * dot(v, v));
    if (n == 0) return x;
    return project(add(x, mix(std::tanh(lambda(x) * n / 2) / n, v, 0, v)));
  }
  [[nodiscard]] Row log(const Row& x, const Row& y) const {
    const Row u = add(mix(-1, x, 0, x), y);
    const double n = std::sqrt(kappa * dot(u, u));
    return n == 0 ? mix(0, u, 0, u) : mix(2 / lambda(x) * std::atanh(n) / n, u, 0, u);
  }
  [[nodiscard]] double dist(const Row& x, const Row& y) const {
    const Row u = add(mix(-1, x, 0, x), y);
    return 2 / std::sqrt(kappa) * std::atanh(std::sqrt(kappa * dot(u, u)));
  }
  /// gyr[a, b]v = −(a ⊕ b) ⊕ (a ⊕ (b ⊕ v)), linear: taken of a short vector.
  [[nodiscard]] Row gyr(const Row& a, const Row& b, const Row& v) const {
    const double n = std::sqrt(kappa * dot(v, v));
    if (n == 0) return v;
    const Row ab = add(a, b);
    const Row out = add(mix(-1, ab, 0, ab), add(a, add(b, mix(0.5 / n, v, 0, v))));
    return mix(2 * n, out, 0, out);
  }
  [[nodiscard]] Row transport(const Row& x, const Row& y, const Row& v) const {
    const Row turned = gyr(y, mix(-1, x, 0, x), v);
    return mix(lambda(x) / lambda(y), turned, 0, turned);
  }
};

inline Row row_of(const Tensor& x, std::int64_t i) {
  Row out;
  for (std::int64_t j = 0; j < x.cols(); ++j) out.push_back(x.at(i, j));
  return out;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  const auto x = a.data();
  const auto y = b.data();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

inline void check_rows_near(const Row& got, const Row& want, double tolerance) {
  for (std::size_t j = 0; j < got.size(); ++j) {
    CAPTURE(j);
    CAPTURE(got[j]);
    CAPTURE(want[j]);
    CHECK(std::abs(got[j] - want[j]) <= tolerance * (1 + std::abs(want[j])));
  }
}

/// Points at every distance: scaled radii from 0 to just inside the ball.
inline Tensor points(std::int64_t rows, std::int64_t cols, double kappa, std::uint64_t seed,
                     double most = 0.95) {
  const Tensor direction = Tensor::randn(rows, cols, seed);
  return Tensor::from_fn(rows, cols, [&](std::int64_t i, std::int64_t j) {
    const Row d = row_of(direction, i);
    const double r = most * static_cast<double>(i) / static_cast<double>(rows) / std::sqrt(kappa);
    return r * d[static_cast<std::size_t>(j)] / std::sqrt(dot(d, d));
  });
}

}  // namespace optim_test
