#pragma once

#include <array>
#include <cmath>
#include <cstddef>

// Forward-mode numbers: a value with its derivatives by a few inputs.
namespace spiraltorch::cpu {

struct Dual {
  static constexpr std::size_t kInputs = 7;
  double value = 0.0;
  std::array<double, kInputs> by{};

  Dual() = default;
  Dual(double v) : value(v) {}  // NOLINT(google-explicit-constructor): constants mix freely

  /// Input number k.
  [[nodiscard]] static Dual input(std::size_t k, double v) {
    Dual out(v);
    out.by[k] = 1.0;
    return out;
  }
};

/// ca·a + cb·b on the derivatives, with a value of its own: the rule of every binary operation.
[[nodiscard]] inline Dual chain(double value, const Dual& a, double ca, const Dual& b, double cb) {
  Dual out(value);
  for (std::size_t k = 0; k < Dual::kInputs; ++k) out.by[k] = ca * a.by[k] + cb * b.by[k];
  return out;
}

/// f(a) from the value and the derivative of f at a.
[[nodiscard]] inline Dual chain(double value, const Dual& a, double slope) {
  Dual out(value);
  for (std::size_t k = 0; k < Dual::kInputs; ++k) out.by[k] = slope * a.by[k];
  return out;
}

[[nodiscard]] inline Dual operator+(const Dual& a, const Dual& b) {
  return chain(a.value + b.value, a, 1.0, b, 1.0);
}
[[nodiscard]] inline Dual operator-(const Dual& a, const Dual& b) {
  return chain(a.value - b.value, a, 1.0, b, -1.0);
}
[[nodiscard]] inline Dual operator-(const Dual& a) { return chain(-a.value, a, -1.0); }
[[nodiscard]] inline Dual operator*(const Dual& a, const Dual& b) {
  return chain(a.value * b.value, a, b.value, b, a.value);
}
[[nodiscard]] inline Dual operator*(double a, const Dual& b) { return chain(a * b.value, b, a); }
[[nodiscard]] inline Dual operator*(const Dual& a, double b) { return b * a; }
[[nodiscard]] inline Dual operator/(const Dual& a, const Dual& b) {
  const double q = a.value / b.value;
  return chain(q, a, 1.0 / b.value, b, -q / b.value);
}

/// √a; its derivative at 0 is taken as 0.
[[nodiscard]] inline Dual sqrt(const Dual& a) {
  const double root = a.value > 0.0 ? std::sqrt(a.value) : 0.0;
  return chain(root, a, root > 0.0 ? 0.5 / root : 0.0);
}

}  // namespace spiraltorch::cpu
