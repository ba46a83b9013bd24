#pragma once

#include <complex>
#include <memory>
#include <vector>

namespace spiraltorch::zspace {

/// Unnormalised forward DFT of one length: X_k = Σ_i x_i e^{−2πjki/n}, any n ≥ 1, O(n log n), in
/// double with twiddles exact to double. The tables are made once; one thread at a time may use
/// them (KISS FFT keeps scratch space in its plan).
class Fourier {
 public:
  explicit Fourier(std::size_t n);
  ~Fourier();
  Fourier(Fourier&&) noexcept;
  Fourier& operator=(Fourier&&) noexcept;
  [[nodiscard]] std::vector<std::complex<double>> operator()(
      const std::vector<double>& samples) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

/// The same for a single signal.
[[nodiscard]] inline std::vector<std::complex<double>> fourier(const std::vector<double>& samples) {
  return Fourier(samples.size())(samples);
}

}  // namespace spiraltorch::zspace
