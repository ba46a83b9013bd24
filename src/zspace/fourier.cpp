#include "zspace/fourier.hpp"

#include <cmath>
#include <kissfft.hh>

namespace spiraltorch::zspace {
namespace {

using Complex = std::complex<double>;
using Signal = std::vector<Complex>;

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

Signal transform(kissfft<double>& plan, const Signal& in) {
  Signal out(in.size());
  plan.transform(in.data(), out.data());
  return out;
}

// e^{−πj k²/n}: k² is reduced mod 2n in integers, so the angle keeps its precision.
Signal make_chirp(std::size_t n) {
  Signal chirp(n);
  std::size_t square = 0;  // k² mod 2n
  for (std::size_t k = 0; k < n; ++k) {
    const double angle = M_PI * static_cast<double>(square) / static_cast<double>(n);
    chirp[k] = {std::cos(angle), -std::sin(angle)};
    square = (square + 2 * k + 1) % (2 * n);
  }
  return chirp;
}

// Bluestein (1970): ki = (k² + i² − (k−i)²)/2 turns the transform into a convolution, which a
// transform of a power of two carries out.
Signal bluestein(const std::vector<double>& samples) {
  const std::size_t n = samples.size();
  std::size_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  const Signal chirp = make_chirp(n);
  Signal a(m), b(m);
  for (std::size_t i = 0; i < n; ++i) a[i] = samples[i] * chirp[i];
  b[0] = std::conj(chirp[0]);
  for (std::size_t i = 1; i < n; ++i) b[i] = b[m - i] = std::conj(chirp[i]);
  kissfft<double> plan(m, false);
  Signal fa = transform(plan, a);
  const Signal fb = transform(plan, b);
  // The inverse is the conjugate of the forward transform of the conjugate: one plan serves.
  for (std::size_t i = 0; i < m; ++i) fa[i] = std::conj(fa[i] * fb[i]);
  const Signal product = transform(plan, fa);
  Signal out(n);
  for (std::size_t k = 0; k < n; ++k)
    out[k] = chirp[k] * std::conj(product[k]) / static_cast<double>(m);
  return out;
}

}  // namespace

Signal fourier(const std::vector<double>& samples) {
  if (largest_factor(samples.size()) > kLargestFactor) return bluestein(samples);
  kissfft<double> plan(samples.size(), false);
  return transform(plan, Signal(samples.begin(), samples.end()));
}

}  // namespace spiraltorch::zspace
