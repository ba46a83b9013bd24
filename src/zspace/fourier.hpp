#pragma once

#include <complex>
#include <vector>

namespace spiraltorch::zspace {

/// Unnormalised forward DFT: X_k = Σ_i x_i e^{−2πjki/n}, any n ≥ 1, O(n log n), in double.
[[nodiscard]] std::vector<std::complex<double>> fourier(const std::vector<double>& samples);

}  // namespace spiraltorch::zspace
