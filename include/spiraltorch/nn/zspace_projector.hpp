#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/sot/plan.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/language_wave_encoder.hpp"
#include "spiraltorch/zspace/open_topos.hpp"
#include "spiraltorch/zspace/tensor_biome.hpp"

namespace spiraltorch {

/// Rows of numbers, texts, spirals and biomes as points of the ball: guarded, clipped to the topos'
/// saturation, mapped by the exponential map at the origin.
///
/// Errors: `curvature_mismatch` for a topos, encoder or biome of another curvature; what the topos'
/// guard throws; `empty_input` for an empty biome or plan.
class SPIRALTORCH_API ZSpaceProjector final : public nn::Module {
 public:
  ZSpaceProjector(const OpenTopos& topos, const LanguageWaveEncoder& encoder);

  [[nodiscard]] double curvature() const noexcept { return topos_.curvature(); }
  [[nodiscard]] const OpenTopos& topos() const noexcept { return topos_; }
  [[nodiscard]] const LanguageWaveEncoder& encoder() const noexcept { return encoder_; }
  Tensor forward(const Tensor& input) override;
  /// The encoder's point of Z-space, guarded.
  [[nodiscard]] Tensor encode_text(std::string_view text,
                                   std::optional<std::int64_t> dim = {}) const;
  /// forward(plan.as_tensor()).
  [[nodiscard]] Tensor project_spiral(const SoT3DPlan& plan) const;
  /// forward(biome.canopy()), in the shape of one shoot.
  [[nodiscard]] Tensor reimport_biome(const TensorBiome& biome) const;
  [[nodiscard]] std::string repr() const override;

 private:
  [[nodiscard]] Tensor project(const Tensor& x) const;
  OpenTopos topos_;
  LanguageWaveEncoder encoder_;
};

}  // namespace spiraltorch
