#include "spiraltorch/nn/zspace_projector.hpp"

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

namespace spiraltorch {
namespace {

void check_curvature_of(std::string_view op, std::string_view what, double got, double expected) {
  if (curvatures_match(got, expected)) return;
  fail(Errc::curvature_mismatch, op,
       text(what, ": got curvature ", got, ", expected the topos', ", expected));
}

}  // namespace

ZSpaceProjector::ZSpaceProjector(const OpenTopos& topos, const LanguageWaveEncoder& encoder)
    : topos_(topos), encoder_(encoder) {
  check_curvature_of("ZSpaceProjector", "encoder", encoder.curvature(), topos.curvature());
}

Tensor ZSpaceProjector::forward(const Tensor& input) { return project(input); }

Tensor ZSpaceProjector::project(const Tensor& x) const {
  topos_.guard_tensor("ZSpaceProjector", x);
  const double limit = topos_.saturation();
  return PoincareBall(topos_.curvature()).expmap0(x.clamp(-limit, limit));
}

Tensor ZSpaceProjector::encode_text(std::string_view text, std::optional<std::int64_t> dim) const {
  Tensor point = encoder_.encode_z_space(text, dim);
  topos_.guard_tensor("encode_text", point);
  return point;
}

Tensor ZSpaceProjector::project_spiral(const SoT3DPlan& plan) const {
  return project(plan.as_tensor());
}

Tensor ZSpaceProjector::reimport_biome(const TensorBiome& biome) const {
  require(!biome.is_empty(), Errc::empty_input, "reimport_biome",
          "biome: got an empty one, expected at least one shoot");
  check_curvature_of("reimport_biome", "biome", biome.topos().curvature(), curvature());
  return project(biome.canopy());
}

std::string ZSpaceProjector::repr() const {
  return text("ZSpaceProjector(curvature=", curvature(), ", saturation=", topos_.saturation(), ")");
}

}  // namespace spiraltorch
