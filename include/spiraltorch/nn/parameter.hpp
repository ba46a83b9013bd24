#pragma once

#include <memory>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/geometry/manifold.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/hypergrad.hpp"

namespace spiraltorch::nn {

/// A leaf tensor that knows its manifold and may have a tape. A handle like any Tensor: copies
/// share everything.
///
/// A backward pass delivers its summed contribution once: to the tape (`accumulate_wave`), if there
/// is one, else into `grad`; with a tape `grad` reads the tape's buffer.
///
/// @code
///   Parameter w(Tensor(2, 2, {0.1F, 0, 0, 0.1F}), PoincareBall(-1.0));
///   w.attach_tape(std::make_shared<Hypergrad>(-1.0, 0.05, 2, 2));
/// @endcode
class SPIRALTORCH_API Parameter : public Tensor {
 public:
  /// A copy of the tensor; on a ball each row is a point and projected.
  explicit Parameter(const Tensor& tensor, const Manifold& manifold = Euclidean(),
                     bool requires_grad = true);
  /// The parameter that a tensor is a handle of.
  [[nodiscard]] static std::optional<Parameter> of(const Tensor& tensor);

  [[nodiscard]] const Manifold& manifold() const noexcept;
  [[nodiscard]] const std::shared_ptr<Hypergrad>& tape() const noexcept;
  /// Drops gradient and former tape. `shape_mismatch`, `curvature_mismatch`, `invalid_value`
  /// (null).
  void attach_tape(std::shared_ptr<Hypergrad> tape);
  /// Without a tape: nothing.
  void detach_tape();
  /// Elements and gradient go to a device, every handle with them. `graph` where a live graph keeps
  /// the elements. A tape follows with its next gradient after `reset` or `apply`.
  void move_to(DeviceId device);
  [[nodiscard]] std::string repr() const;

 private:
  explicit Parameter(std::shared_ptr<detail::TensorImpl> impl) noexcept;
};

}  // namespace spiraltorch::nn
