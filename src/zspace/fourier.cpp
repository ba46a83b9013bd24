#include "zspace/fourier.hpp"

#include <cmath>
#include <kissfft.hh>
#include <numbers>
#include <utility>

namespace spiraltorch::zspace {
namespace {

using Complex = std::complex<double>;
using Signal = std::vector<Complex>;
using Plan = kissfft<double>;

// KISS FFT multiplies a rounded step angle by i, which costs its twiddles up to 1e-15. It lets
// nobody set them, so this names the private table: the one place where access is not checked is
// an explicit instantiation.
template <auto Member>
struct TwiddleAccess {
  friend Signal& twiddles_of(Plan& plan) { return plan.*Member; }
};
Signal& twiddles_of(Plan& plan);
template struct TwiddleAccess<&Plan::_twiddles>;

// KISS FFT takes factors p in O(p) an element: fast for small ones only.
constexpr std::size_t kLargestFactor = 13;

std::size_t largest_factor(std::size_t n) {
  std::size_t largest = 1;
  for (std::size_t p = 2; p * p <= n; ++p) {
    while (n % p == 0) {
      largest = p;
      n /= p;
    }
  }
  return n > 1 ? n : largest;
}

// e^{−2πjk/n}, k < n: reduced in integers to an angle of at most π/4.
Complex root_of_unity(std::size_t k, std::size_t n) {
  std::size_t eighths = 8 * k;  // of n: the angle is eighths/n · π/4
  const bool lower = eighths > 4 * n;
  if (lower) eighths = 8 * n - eighths;
  const bool left = eighths > 2 * n;
  if (left) eighths = 4 * n - eighths;
  const bool steep = eighths > n;
  if (steep) eighths = 2 * n - eighths;
  const double angle =
      0.25 * std::numbers::pi * (static_cast<double>(eighths) / static_cast<double>(n));
  double re = std::cos(angle);
  double im = std::sin(angle);
  if (steep) std::swap(re, im);
  return {left ? -re : re, lower ? im : -im};
}

Plan make_plan(std::size_t n) {
  Plan plan(1, false);
  plan.assign(n, false);
  Signal& roots = twiddles_of(plan);
  const std::size_t quarter = n % 4 == 0 ? n / 4 : n;
  for (std::size_t k = 0; k < quarter; ++k) roots[k] = root_of_unity(k, n);
  for (std::size_t k = quarter; k < n; ++k) {
    roots[k] = {roots[k - quarter].imag(), -roots[k - quarter].real()};  // times −j
  }
  return plan;
}

// e^{−πj k²/n}: k² is reduced mod 2n in integers, so the angle keeps its precision.
Signal make_chirp(std::size_t n) {
  Signal chirp(n);
  std::size_t square = 0;  // k² mod 2n
  for (std::size_t k = 0; k < n; ++k) {
    chirp[k] = root_of_unity(square, 2 * n);
    square = (square + 2 * k + 1) % (2 * n);
  }
  return chirp;
}

std::size_t convolution_length(std::size_t n) {
  std::size_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  return m;
}

Signal transform(const Plan& plan, const Signal& in) {
  Signal out(in.size());
  plan.transform(in.data(), out.data());
  return out;
}

// Products of finite numbers: std::complex's would look for infinities each time.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

// Bluestein (1970): ki = (k² + i² − (k−i)²)/2 turns the transform into a convolution, which a
// transform of a power of two carries out. Without a large factor the chirp stays empty.
struct Fourier::Tables {
  explicit Tables(std::size_t n)
      : is_direct(largest_factor(n) <= kLargestFactor),
        plan(make_plan(is_direct ? n : convolution_length(n))) {
    if (is_direct) return;
    chirp = make_chirp(n);
    const std::size_t m = convolution_length(n);
    Signal b(m);
    b[0] = std::conj(chirp[0]);
    for (std::size_t i = 1; i < n; ++i) b[i] = b[m - i] = std::conj(chirp[i]);
    filter = transform(plan, b);
    for (Complex& v : filter) v /= static_cast<double>(m);  // of the inverse transform; exact
  }

  [[nodiscard]] Signal convolve(const std::vector<double>& samples) const {
    const std::size_t n = samples.size();
    Signal a(filter.size());
    for (std::size_t i = 0; i < n; ++i) a[i] = samples[i] * chirp[i];
    Signal spectrum = transform(plan, a);
    // The inverse is the conjugate of the forward transform of the conjugate: one plan serves.
    for (std::size_t i = 0; i < spectrum.size(); ++i) {
      spectrum[i] = std::conj(times(spectrum[i], filter[i]));
    }
    plan.transform(spectrum.data(), a.data());
    a.resize(n);
    for (std::size_t k = 0; k < n; ++k) a[k] = times(chirp[k], std::conj(a[k]));
    return a;
  }

  bool is_direct;
  Plan plan;
  Signal chirp;
  Signal filter;
};

Fourier::Fourier(std::size_t n) : tables_(std::make_unique<const Tables>(n)) {}
Fourier::~Fourier() = default;
Fourier::Fourier(Fourier&&) noexcept = default;
Fourier& Fourier::operator=(Fourier&&) noexcept = default;

Signal Fourier::operator()(const std::vector<double>& samples) const {
  if (!tables_->is_direct) return tables_->convolve(samples);
  return transform(tables_->plan, Signal(samples.begin(), samples.end()));
}

}  // namespace spiraltorch::zspace
