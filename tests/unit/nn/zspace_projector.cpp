#include "spiraltorch/nn/zspace_projector.hpp"

#include <doctest/doctest.h>

#include "check_error.hpp"
#include "learning.hpp"
#include "spiraltorch/session/spiral_session.hpp"

using namespace spiraltorch;
using learning::Json;

TEST_CASE("golden projection of a spiral and a biome") {
  const Json& want = learning::file().at("readme_block_5");
  const SpiralSession session({.device = "cpu"});
  const auto trace =
      session.trace(Tensor::full(1, 8, 0.2), TracePlanOptions{.steps = 64, .radial_growth = 0.08});
  REQUIRE(trace.sot_plan() != nullptr);
  const SoT3DPlan& plan = *trace.sot_plan();
  const ZSpaceProjector projector(session.topos(), session.encoder());
  learning::check_rows(plan.as_tensor(), want.at("spiral_rows"));
  const Tensor canvas = projector.project_spiral(plan);
  learning::check_rows(canvas, want.at("canvas_rows"));
  TensorBiome biome = plan.grow_biome(session.topos());
  CHECK(biome.total_weight() == doctest::Approx(want.at("biome_weight_before").get<double>()));
  learning::check_rows(biome.canopy(), want.at("canopy_before_rows"));
  biome.absorb_weighted("canvas", canvas, 2.0);
  CHECK(biome.total_weight() == doctest::Approx(want.at("biome_weight_after").get<double>()));
  learning::check_rows(biome.canopy(), want.at("canopy_rows"));
  CHECK(biome.stack().rows() == 384);
  learning::check_rows(projector.reimport_biome(biome), want.at("meaning_rows"));
}

TEST_CASE("a projector refuses what is of another curvature, empty or not finite") {
  const OpenTopos topos(-1.0);
  check_error(Errc::curvature_mismatch,
              [&] { (void)ZSpaceProjector(topos, LanguageWaveEncoder(-2.0, 0.5)); });
  ZSpaceProjector projector(topos, LanguageWaveEncoder(-1.0, 0.5));
  check_error(Errc::empty_input, [&] { (void)projector.reimport_biome(TensorBiome(topos)); });
  check_error(Errc::curvature_mismatch,
              [&] { (void)projector.reimport_biome(SoT3DPlan(3).grow_biome(OpenTopos(-2.0))); });
  check_error(Errc::empty_input, [&] { (void)projector.project_spiral(SoT3DPlan(0)); });
  check_error(Errc::non_finite, [&] { (void)projector.forward(Tensor(1, 1, {HUGE_VALF})); });
  check_error(Errc::volume_exceeded, [] {
    const OpenTopos small(-1.0, 1e-6, 1e6, 4096, 2);
    (void)ZSpaceProjector(small, LanguageWaveEncoder(-1.0, 0.5)).forward(Tensor(1, 3));
  });
  CHECK(projector.encode_text("spiral", 4).shape() == Shape{1, 4});
}
