#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/barycenter.hpp"
#include "spiraltorch/zspace/hypergrad.hpp"
#include "spiraltorch/zspace/open_topos.hpp"

namespace spiraltorch {

class SoT3DPlan;

/// The values of a trace; each method returns a fresh tensor.
class SPIRALTORCH_API DifferentialResonance {
 public:
  /// (r,c): the last of H_k = exp_{H_{k−1}}(G_k∘D_k), from the imported seed.
  [[nodiscard]] Tensor homotopy_flow() const { return homotopy_flow_.clone(); }
  /// (r,c): log_{H₁₂}(H₂₁) of the first two deformations; zeros if there are fewer.
  [[nodiscard]] Tensor commutator() const { return commutator_.clone(); }
  /// (r,q): source·K.
  [[nodiscard]] Tensor functor_value() const { return functor_value_.clone(); }
  /// (r,q): D·K, the derivative of x ↦ x·K along the last direction.
  [[nodiscard]] Tensor functor_linearisation() const { return functor_linearisation_.clone(); }
  /// (1,5): objectives of the barycenter's intermediates.
  [[nodiscard]] Tensor recursive_objective() const { return recursive_objective_.clone(); }
  /// (r,c): mean of the tower's levels.
  [[nodiscard]] Tensor infinity_projection() const { return infinity_projection_.clone(); }
  /// (1,L): |c_l|·‖X_l‖².
  [[nodiscard]] Tensor infinity_energy() const { return infinity_energy_.clone(); }
  /// All seven by name.
  [[nodiscard]] std::vector<std::pair<std::string, Tensor>> as_dict() const;
  [[nodiscard]] std::string repr() const;

 private:
  friend class SpiralDifferentialTrace;
  DifferentialResonance(Tensor flow, Tensor commutator, Tensor value, Tensor linearisation,
                        Tensor objective, Tensor projection, Tensor energy);
  Tensor homotopy_flow_;
  Tensor commutator_;
  Tensor functor_value_;
  Tensor functor_linearisation_;
  Tensor recursive_objective_;
  Tensor infinity_projection_;
  Tensor infinity_energy_;
};

/// What a trace takes from its session.
struct TraceSettings {
  double curvature = -1.0;
  BarycenterOptions barycenter{};
  std::optional<OpenTopos> topos{};
};

/// Geodesic steps, linear maps, a barycenter and a tower of levels over one seed, evaluated
/// together by `resonate`. Setters return the trace; a failed one leaves it unchanged. All tensors
/// given are copied and must be finite.
class SPIRALTORCH_API SpiralDifferentialTrace {
 public:
  /// `invalid_shape`, `non_finite`; a configured guard checks the seed.
  SpiralDifferentialTrace(const Tensor& seed, TraceSettings settings);

  /// Appends (G, D), both of the seed's shape.
  SpiralDifferentialTrace& deform(const Tensor& generator, const Tensor& direction);
  /// Appends a kernel; its rows are the columns of the product so far, first the seed's.
  SpiralDifferentialTrace& via(const Tensor& kernel, const std::optional<Tensor>& source = {});
  /// The guard of this trace in place of the session's; `curvature_mismatch`.
  SpiralDifferentialTrace& across(const OpenTopos& topos);
  SpiralDifferentialTrace& with_barycenter(const ZSpaceBarycenter& barycenter);
  /// Solves with the session's entropy weight, β and coupling.
  SpiralDifferentialTrace& with_barycenter_from(const std::vector<double>& weights,
                                                std::span<const Tensor> densities);
  /// The same with this coupling, or none.
  SpiralDifferentialTrace& with_barycenter_with(const std::vector<double>& weights,
                                                std::span<const Tensor> densities,
                                                const std::optional<Tensor>& coupling = {});
  /// The tower: tensors of the seed's shape, one finite number a level or the session's curvature.
  SpiralDifferentialTrace& with_infinity(std::span<const Tensor> levels,
                                         const std::vector<double>& curvatures = {});

  /// `empty_input` for a missing deformation, kernel or barycenter, in this order.
  [[nodiscard]] DifferentialResonance resonate() const;
  /// The same, then the barycenter's path onto the tape; if either fails, neither takes effect.
  DifferentialResonance resonate_with_hypergrad(Hypergrad& tape) const;

  [[nodiscard]] Tensor seed() const { return seed_.clone(); }
  /// The spiral plan that the session attached (sot/plan.hpp), or null.
  [[nodiscard]] const std::shared_ptr<const SoT3DPlan>& sot_plan() const noexcept {
    return sot_plan_;
  }
  void attach_sot_plan(std::shared_ptr<const SoT3DPlan> plan) noexcept {
    sot_plan_ = std::move(plan);
  }
  [[nodiscard]] std::string repr() const;

 private:
  struct Deformation {
    Tensor generator;
    Tensor direction;
  };
  [[nodiscard]] Tensor checked_copy(std::string_view op, std::string_view what,
                                    const Tensor& tensor) const;
  [[nodiscard]] Tensor step(const Tensor& from, const Deformation& by) const;
  [[nodiscard]] Tensor commutator(const Tensor& start) const;
  [[nodiscard]] std::pair<Tensor, Tensor> tower() const;

  Tensor seed_;
  TraceSettings settings_;
  std::vector<Deformation> deformations_;
  std::optional<Tensor> kernel_;  // product so far
  std::optional<Tensor> source_;
  std::optional<ZSpaceBarycenter> barycenter_;
  std::vector<Tensor> levels_;
  std::vector<double> level_curvatures_;
  std::shared_ptr<const SoT3DPlan> sot_plan_;
};

}  // namespace spiraltorch
