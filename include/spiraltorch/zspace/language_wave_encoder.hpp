#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/complex_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// Text to a point of Z-space: samples of code points, their Fourier transform, a point of the
/// ball.
///
/// Text is UTF-8; `empty_input` when empty, `invalid_value` naming the byte of invalid Unicode.
/// Code points equal mod 1024 coincide.
///
/// @code
///   const LanguageWaveEncoder encoder(-1.0, 0.5);
///   Tensor z = encoder.encode_z_space("spiral");   // (1, 12)
/// @endcode
class SPIRALTORCH_API LanguageWaveEncoder {
 public:
  /// Temperature finite and > 0.
  LanguageWaveEncoder(double curvature, double temperature);
  [[nodiscard]] double curvature() const noexcept { return curvature_; }
  [[nodiscard]] double temperature() const noexcept { return temperature_; }
  [[nodiscard]] std::string repr() const;

  /// (1,n) for n code points u: the unnormalised forward DFT of
  /// s_i = T·((u_i mod 1024)/1024 + |sin((i+1)/n)|), in double, rounded once. O(n log n) for every
  /// n (mixed radix; Bluestein 1970 for large prime factors).
  [[nodiscard]] ComplexTensor encode_wave(std::string_view text) const;
  /// (1,2n): tanh(√κ|X_k|) with the bin's phase, re and im interleaved, then the exponential map at
  /// the origin. With dim (≥ 1), the first dim coordinates of that point, zeros beyond: (1,dim).
  [[nodiscard]] Tensor encode_z_space(std::string_view text,
                                      std::optional<std::int64_t> dim = {}) const;
  /// The individual results, in order, computed in parallel; a bad text's index is in the message.
  [[nodiscard]] std::vector<Tensor> encode_many(std::span<const std::string> texts,
                                                std::optional<std::int64_t> dim = {}) const;
  /// Short-time spectra (Allen & Rabiner 1977) of a text that arrives in pieces: (frames, 2·window)
  /// or (frames, dim). `next` returns the next piece, or nothing at the end; the result depends on
  /// the concatenation only. 2 ≤ window, 1 ≤ hop ≤ window. Memory O(window + result).
  [[nodiscard]] Tensor encode_stream(const std::function<std::optional<std::string>()>& next,
                                     std::int64_t window, std::int64_t hop,
                                     std::optional<std::int64_t> dim = {}) const;

 private:
  double curvature_;
  double temperature_;
};

}  // namespace spiraltorch
