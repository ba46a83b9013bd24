#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/geometry/manifold.hpp"
#include "spiraltorch/tensor/complex_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/barycenter.hpp"
#include "spiraltorch/zspace/language_wave_encoder.hpp"
#include "spiraltorch/zspace/open_topos.hpp"

namespace spiraltorch {

/// The tape: a buffer of Euclidean differentials and a Riemannian gradient step in the Poincaré
/// ball, or a plain one in flat space.
///
/// Inputs are guarded (volume, finiteness) before anything changes; sums saturate at the guard's
/// bound. Errors: `curvature`, `curvature_mismatch`, `invalid_value`, `non_finite`,
/// `volume_exceeded`, `depth_exceeded`, `shape_mismatch`, `empty_input`; `graph` for weights that a
/// live graph keeps.
///
/// The buffer lives where the first tensor accumulated since the last `reset` or `apply` does;
/// later ones must be there too (`device` otherwise).
///
/// @code
///   Hypergrad tape(-1.0, 0.05, 1, 2);
///   tape.accumulate_pair(weights, target);
///   tape.apply(weights);
/// @endcode
class SPIRALTORCH_API Hypergrad {
 public:
  /// learning_rate finite, > 0. The default guard is (curvature, 1e-6, 1e6, max(8, 4N), N).
  Hypergrad(double curvature, double learning_rate, std::int64_t rows, std::int64_t cols,
            const std::optional<OpenTopos>& topos = {});
  /// A tape of flat space: curvature 0, and `apply` takes the plain step w ← w − ηg. The guard is
  /// `topos`, of any curvature, or the default of curvature -1.
  [[nodiscard]] static Hypergrad euclidean(double learning_rate, std::int64_t rows,
                                           std::int64_t cols,
                                           const std::optional<OpenTopos>& topos = {});

  [[nodiscard]] double curvature() const noexcept { return curvature_; }
  [[nodiscard]] Manifold manifold() const;
  [[nodiscard]] double learning_rate() const noexcept { return learning_rate_; }
  [[nodiscard]] Shape shape() const noexcept { return buffer_.shape(); }
  /// Flat row-major copy of the buffer.
  [[nodiscard]] std::vector<float> gradient() const { return buffer_.data(); }
  /// The same where it lives; replaced, never written.
  [[nodiscard]] const Tensor& buffer() const noexcept { return buffer_; }
  [[nodiscard]] const OpenTopos& topos() const noexcept { return topos_; }
  [[nodiscard]] std::string repr() const;
  /// Sets the buffer to zero.
  void reset();
  void scale_learning_rate(double factor);
  /// Finite, >= 0: a schedule may end at 0.
  void set_learning_rate(double rate);

  /// G ← sat(G + tensor).
  void accumulate_wave(const Tensor& tensor);
  /// The same with a wave (r, c) on a tape (r, 2c).
  void accumulate_complex_wave(const ComplexTensor& wave);
  /// G ← sat(G + prediction − target), the gradient of ½‖prediction − target‖²; a target of one row
  /// and another length is restricted to the tape's coordinates.
  void accumulate_pair(const Tensor& prediction, const Tensor& target);
  /// G ← sat(G + ρ_0 − ρ_K): from the start of the path to its end.
  void accumulate_barycenter_path(std::span<const BarycenterIntermediate> intermediates);
  /// G ← sat(G + z), z the text's point: `apply` then moves away from the text.
  void absorb_text(const LanguageWaveEncoder& encoder, std::string_view text);
  /// Riemannian SGD in place (Bonnabel 2013): w ← project(exp_w(−η g/λ_w²)) row by row after
  /// import; a zero row of the buffer leaves an imported row bit for bit. In flat space w ← w − ηg.
  /// Then the buffer is zero. `non_finite` also where a step overflows.
  void apply(Tensor& weights);

 private:
  Hypergrad(double curvature, double learning_rate, const OpenTopos& topos, Shape shape);
  void add(const Tensor& differential);
  [[nodiscard]] Tensor zeros_on(DeviceId device) const;
  double curvature_;
  double learning_rate_;
  OpenTopos topos_;
  Tensor buffer_;
  bool empty_ = true;  // nothing accumulated: the buffer is zero, on whatever device
};

}  // namespace spiraltorch
