#include "zspace/fourier.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <kissfft.hh>
#include <numbers>
#include <utility>

#include "spiraltorch/runtime/parallel.hpp"

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

// Products of finite numbers: std::complex's would look for infinities each time.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// A transform of one length without large factors. Long ones take two steps over a matrix of
// rows·cols elements (Gentleman & Sande 1966; Bailey 1990), so that each short transform stays in
// cache and several threads share the work.
class SmoothTransform {
 public:
  explicit SmoothTransform(std::size_t n)
      : rows_(n < kLong ? 1 : middle_divisor(n)),
        cols_(n / rows_),
        row_plan_(make_plan(cols_)),
        column_plan_(make_plan(rows_)),
        fine_(rows_ == 1 ? 0 : kFine),
        coarse_(rows_ == 1 ? 0 : n / kFine + 1) {
    for (std::size_t t = 0; t < fine_.size(); ++t) fine_[t] = root_of_unity(t, n);
    for (std::size_t t = 0; t < coarse_.size() && t * kFine < n; ++t) {
      coarse_[t] = root_of_unity(t * kFine, n);
    }
  }

  void operator()(const Complex* in, Complex* out) const {
    if (rows_ == 1) {
      row_plan_.transform(in, out);
      return;
    }
    // Input element cols·a + j, output element k + rows·q.
    Signal middle(rows_ * cols_);
    by_groups(cols_, [&](std::size_t begin, std::size_t end) {
      transform_columns(in, middle.data(), begin, end);
    });
    by_groups(rows_, [&](std::size_t begin, std::size_t end) {
      transform_rows(middle.data(), out, begin, end);
    });
  }

 private:
  static constexpr std::size_t kLong = 1U << 15U;  // from here on two steps are faster
  static constexpr std::size_t kFine = 1024;
  static constexpr std::size_t kGroup = 8;  // two cache lines of neighbours are moved together

  static std::size_t middle_divisor(std::size_t n) {
    auto r = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
    while (n % r != 0) --r;
    return r;
  }

  template <class Body>
  static void by_groups(std::size_t count, Body&& body) {
    const auto groups = static_cast<std::int64_t>((count + kGroup - 1) / kGroup);
    parallel_for(groups, 4, [&](std::int64_t begin, std::int64_t end) {
      for (auto g = static_cast<std::size_t>(begin); std::cmp_less(g, end); ++g) {
        body(g * kGroup, std::min(count, (g + 1) * kGroup));
      }
    });
  }

  void transform_columns(const Complex* in, Complex* middle, std::size_t begin,
                         std::size_t end) const {
    const Plan plan = column_plan_;  // of its own: a plan holds scratch space
    Signal group(kGroup * rows_), result(rows_);
    for (std::size_t a = 0; a < rows_; ++a) {
      for (std::size_t j = begin; j < end; ++j) {
        group[(j - begin) * rows_ + a] = in[a * cols_ + j];
      }
    }
    for (std::size_t j = begin; j < end; ++j) {
      Complex* column = group.data() + (j - begin) * rows_;
      plan.transform(column, result.data());
      for (std::size_t k = 0; k < rows_; ++k) {
        const std::size_t t = j * k;  // < rows·cols
        column[k] = times(result[k], times(coarse_[t / kFine], fine_[t % kFine]));
      }
    }
    for (std::size_t k = 0; k < rows_; ++k) {
      for (std::size_t j = begin; j < end; ++j) {
        middle[k * cols_ + j] = group[(j - begin) * rows_ + k];
      }
    }
  }

  void transform_rows(const Complex* middle, Complex* out, std::size_t begin,
                      std::size_t end) const {
    const Plan plan = row_plan_;
    Signal group(kGroup * cols_);
    for (std::size_t k = begin; k < end; ++k) {
      plan.transform(middle + k * cols_, group.data() + (k - begin) * cols_);
    }
    for (std::size_t q = 0; q < cols_; ++q) {
      for (std::size_t k = begin; k < end; ++k) {
        out[q * rows_ + k] = group[(k - begin) * cols_ + q];
      }
    }
  }

  std::size_t rows_;
  std::size_t cols_;
  Plan row_plan_;
  Plan column_plan_;
  Signal fine_;  // e^{−2πjt/n} is coarse_[t / kFine]·fine_[t % kFine]
  Signal coarse_;
};

// e^{−πj k²/n}: k² is reduced mod 2n in integers, so the angle keeps its precision.
Signal make_chirp(std::size_t n) {
  Signal chirp(n);
  std::size_t square = 0;  // k² mod 2n
  for (std::size_t k = 0; k < n; ++k) {
    chirp[k] = root_of_unity(square, 2 * n);
    square += 2 * k + 1;  // (k+1)²; both terms are below 2n
    if (square >= 2 * n) square -= 2 * n;
  }
  return chirp;
}

std::size_t convolution_length(std::size_t n) {
  std::size_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  return m;
}

Signal transform(const SmoothTransform& plan, const Signal& in) {
  Signal out(in.size());
  plan(in.data(), out.data());
  return out;
}

}  // namespace

// Bluestein (1970): ki = (k² + i² − (k−i)²)/2 turns the transform into a convolution, which a
// transform of a power of two carries out. Without a large factor the chirp stays empty.
struct Fourier::Tables {
  explicit Tables(std::size_t n)
      : is_direct(largest_factor(n) <= kLargestFactor),
        plan(is_direct ? n : convolution_length(n)) {
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
    plan(spectrum.data(), a.data());
    a.resize(n);
    for (std::size_t k = 0; k < n; ++k) a[k] = times(chirp[k], std::conj(a[k]));
    return a;
  }

  bool is_direct;
  SmoothTransform plan;
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
