#include "spiraltorch/sot/plan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "check_error.hpp"
#include "learning.hpp"

using namespace spiraltorch;
using learning::Json;

namespace {

SoT3DPlan plan_of(const Json& c) {
  SpiralOptions o;
  const Json& given = c.at("options");
  const auto read = [&](const char* key, double& to) {
    if (given.contains(key)) to = given.at(key).get<double>();
  };
  read("base_radius", o.base_radius);
  read("radial_growth", o.radial_growth);
  read("base_height", o.base_height);
  read("meso_gain", o.meso_gain);
  read("micro_gain", o.micro_gain);
  if (given.contains("spacing")) {
    o.spacing = parse_spacing("test", given.at("spacing").get<std::string>());
  }
  return SoT3DPlan(c.at("total_steps").get<std::int64_t>(), o);
}

void check_block(const SpiralBlock& got, const Json& want) {
  CHECK(got.index == want.at("index").get<std::int64_t>());
  CHECK(got.length == want.at("length").get<std::int64_t>());
  CHECK(got.position == want.at("position").get<std::int64_t>());
  CHECK(got.phase == doctest::Approx(want.at("phase").get<double>()).epsilon(1e-12));
  CHECK(got.reflection == want.at("reflection").get<bool>());
}

void check_step(const SoT3DStep& got, const Json& want) {
  const auto near = [&](const char* key, double value) {
    CAPTURE(key);
    CHECK(std::abs(value - want.at(key).get<double>()) <=
          1e-11 * (1.0 + std::abs(want.at(key).get<double>())));
  };
  CHECK(got.index == want.at("index").get<std::int64_t>());
  near("angle", got.angle);
  near("radius", got.radius);
  near("x", got.x);
  near("y", got.y);
  near("height", got.height);
  near("z_track", got.z_track);
  near("curvature", got.curvature);
  check_block(got.macro, want.at("macro"));
  check_block(got.meso, want.at("meso"));
  check_block(got.micro, want.at("micro"));
  CHECK(got.meso_role() == want.at("meso").at("role").get<std::string>());
  CHECK(got.micro_role() == want.at("micro").at("role").get<std::string>());
}

void check_macros(const SoT3DPlan& plan, const Json& want) {
  const auto macros = plan.macro_summaries();
  REQUIRE(macros.size() == want.size());
  for (std::size_t i = 0; i < macros.size(); ++i) {
    CHECK(macros[i].start == want[i].at("start").get<std::int64_t>());
    CHECK(macros[i].length == want[i].at("length").get<std::int64_t>());
    CHECK(macros[i].ideal_length == want[i].at("ideal_length").get<std::int64_t>());
    CHECK(macros[i].reflection_step == want[i].at("reflection_step").get<std::int64_t>());
    CHECK(macros[i].height_gain == doctest::Approx(want[i].at("height_gain").get<double>()));
    CHECK(macros[i].mean_curvature == doctest::Approx(want[i].at("mean_curvature").get<double>()));
  }
}

void check_biome(const SoT3DPlan& plan, const Json& want) {
  const TensorBiome biome = plan.grow_biome(OpenTopos(-1.0));
  CHECK(biome.labels() == want.at("labels").get<std::vector<std::string>>());
  const auto weights = want.at("weights").get<std::vector<double>>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CHECK(biome.weights()[i] == doctest::Approx(weights[i]));
  }
  learning::check_rows(biome.canopy(), want.at("canopy_rows"));
}

}  // namespace

TEST_CASE("golden packing") {
  for (const Json& c : learning::file().at("packing")) {
    const auto n = c.at("length").get<std::int64_t>();
    CHECK(pack_tribonacci_chunks(n) == c.at("tribonacci").get<std::vector<std::int64_t>>());
    CHECK(pack_tetranacci_chunks(n) == c.at("tetranacci").get<std::vector<std::int64_t>>());
  }
}

TEST_CASE("golden plans") {
  for (const Json& c : learning::file().at("plans")) {
    const SoT3DPlan plan = plan_of(c);
    CAPTURE(plan.repr());
    CHECK(fibonacci_pacing(plan.total_steps()) == c.at("pacing").get<std::vector<std::int64_t>>());
    const auto steps = plan.steps();
    REQUIRE(std::ssize(steps) == plan.total_steps());
    for (const Json& want : c.at("steps")) {
      check_step(steps.at(want.at("index").get<std::size_t>()), want);
    }
    CHECK(std::ssize(plan.reflection_points()) == c.at("reflection_points").get<std::int64_t>());
    check_macros(plan, c.at("macros"));
    if (plan.total_steps() == 0) continue;
    learning::check_rows(plan.as_tensor(), c.at("tensor_rows"));
    learning::check_rows(plan.feature_tensor(), c.at("feature_rows"));
    learning::check_sums(plan.as_tensor(), c.at("tensor_sum"));
    learning::check_sums(plan.feature_tensor(), c.at("feature_sum"));
    learning::check_sums(plan.reflection_tensor(), c.at("reflection_sum"));
    learning::check_sums(plan.role_tensor(), c.at("role_sum"));
    CHECK(plan.macro_summary_tensor().rows() == std::ssize(c.at("macro_tensor")));
    if (c.contains("biome")) check_biome(plan, c.at("biome"));
  }
}

TEST_CASE("a plan without steps is a plan, but no tensor") {
  const SoT3DPlan empty(0);
  CHECK(empty.steps().empty());
  CHECK(empty.macro_summaries().empty());
  CHECK(empty.polyline().empty());
  CHECK(empty.grow_biome(OpenTopos(-1.0)).is_empty());
  check_error(Errc::empty_input, [&] { (void)empty.as_tensor(); });
  check_error(Errc::empty_input, [&] { (void)empty.macro_summary_tensor(); });
}

TEST_CASE("options outside their ranges are refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(-1); });
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(std::int64_t{1} << 31); });
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(4, {.base_radius = 0.0}); });
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(4, {.meso_gain = -0.1}); });
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(4, {.micro_gain = -0.1}); });
  check_error(Errc::invalid_value, [&] { (void)SoT3DPlan(4, {.base_height = infinity}); });
  check_error(Errc::invalid_value, [] { (void)SoT3DPlan(4000, {.radial_growth = 0.05}); });
  check_error(Errc::invalid_value, [] { (void)parse_spacing("test", "linear"); });
  check_error(Errc::invalid_value, [] { (void)fibonacci_pacing(-1); });
  CHECK(SoT3DPlan(4000, {.spacing = SpiralSpacing::vogel}).total_steps() == 4000);
}
