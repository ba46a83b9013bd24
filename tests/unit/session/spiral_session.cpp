#include "spiraltorch/session/spiral_session.hpp"

#include <cmath>

#include "check_error.hpp"
#include "golden.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/sot/plan.hpp"

using namespace spiraltorch;
using golden::Json;

TEST_CASE("the README's second program") {
  const SpiralSession session({.device = "wgpu", .curvature = -1.0, .hyper_learning_rate = 0.05});
  const std::vector<Tensor> densities{Tensor(1, 2, {0.7F, 0.3F}), Tensor(1, 2, {0.2F, 0.8F})};
  const auto bary = session.barycenter(densities);
  auto hyper = session.hypergrad(bary.density.rows(), bary.density.cols());
  session.align_hypergrad(hyper, bary);
  golden::each_case("README.block2", [&](const Json&, const Json& one) {
    const Json& want = one.at("expected");
    golden::compare({bary.objective}, want.at("objective"), one);
    golden::compare(golden::widen(hyper.gradient()), want.at("gradient"), one);
    golden::compare(golden::widen(bary.density.data()), want.at("density"), one);
  });
  const std::vector<double> objectives{0.224573, 0.224218, 0.223964, 0.223811, 0.223760};
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(std::abs(bary.intermediates[k].objective - objectives[k]) <= 5e-6);
  }
  CHECK(std::abs(bary.kl_energy - 0.292258) <= 5e-6);
  CHECK(std::abs(bary.entropy - 0.684980) <= 5e-6);
  CHECK(bary.effective_weight == doctest::Approx(2.1));
}

TEST_CASE("the README's fourth program") {
  const SpiralSession session({.device = "wgpu", .curvature = -1.0});
  const std::vector<Tensor> densities{Tensor(1, 2, {0.6F, 0.4F}), Tensor(1, 2, {0.5F, 0.5F})};
  auto trace = session.trace(Tensor(1, 2, {0.4F, 0.6F}));
  trace.deform(Tensor(1, 2, {0.1F, -0.2F}), Tensor(1, 2, {0.05F, 0.07F}));
  trace.via(Tensor(2, 2, {1.0F, 0.5F, -0.25F, 1.25F}));
  trace.with_barycenter_from({0.6, 0.4}, densities);
  trace.with_infinity(std::span(densities).first(1), {});
  const auto r = trace.resonate();
  golden::each_case("README.block4", [&](const Json&, const Json& one) {
    const Json& want = one.at("expected");
    golden::compare(golden::widen(r.homotopy_flow().data()), want.at("homotopy_flow"), one);
    golden::compare(golden::widen(r.functor_linearisation().data()),
                    want.at("functor_linearisation"), one);
    golden::compare(golden::widen(r.recursive_objective().data()), want.at("recursive_objective"),
                    one);
    golden::compare(golden::widen(r.infinity_projection().data()), want.at("infinity_projection"),
                    one);
    golden::compare(golden::widen(r.infinity_energy().data()), want.at("infinity_energy"), one);
  });
}

namespace {
int warnings = 0;
}

TEST_CASE("an absent device becomes the CPU with one warning, or an error") {
  const WarningHandler before = set_warning_handler([](std::string_view) { ++warnings; });
  const SpiralSession session({.device = "hip:3"});
  const SpiralSession again({.device = "hip:3"});
  CHECK(warnings == 1);
  CHECK(session.device() == "cpu");
  CHECK(session.requested_device() == "hip:3");
  check_error(Errc::device, [] { (void)SpiralSession({.device = "hip:3", .strict = true}); });
  CHECK(SpiralSession().device() == "cpu");
  CHECK(warnings == 1);
  set_warning_handler(before);
}

TEST_CASE("a session describes its effective device") {
  const SpiralSession session({.device = "hip:3"});
  const DeviceCaps caps = session.device_caps();
  CHECK(caps.device == session.device_id());
  CHECK(caps.available);
  CHECK(caps.queried);
}

TEST_CASE("session conditions") {
  check_error(Errc::invalid_value, [] { (void)SpiralSession({.device = "gpu"}); });
  check_error(Errc::curvature, [] { (void)SpiralSession({.curvature = 1.0}); });
  check_error(Errc::invalid_value, [] { (void)SpiralSession({.hyper_learning_rate = 0.0}); });
  check_error(Errc::invalid_value, [] { (void)SpiralSession({.fallback_learning_rate = -1.0}); });
  check_error(Errc::non_finite, [] { (void)SpiralSession({.hyper_learning_rate = NAN}); });
  check_error(Errc::non_finite, [] { (void)SpiralSession({.entropy_weight = INFINITY}); });
  check_error(Errc::non_finite, [] { (void)SpiralSession({.beta_j = NAN}); });
  check_error(Errc::curvature_mismatch, [] { (void)SpiralSession({.topos = OpenTopos(-2.0)}); });
  check_error(Errc::shape_mismatch, [] { (void)SpiralSession({.coupling = Tensor(2, 3)}); });
  check_error(Errc::non_finite, [] { (void)SpiralSession({.coupling = Tensor(1, 1, {NAN})}); });
}

TEST_CASE("the builder carries every option and can go on") {
  SpiralSessionBuilder builder;
  builder.device("cpu").curvature(-2.0).hyper_learning_rate(0.1).fallback_learning_rate(0.2);
  builder.entropy_weight(0.3).beta_j(0.4).topos(-2.0, 1e-6, 5.0, 64, 128).seed(3).strict(true);
  builder.coupling(Tensor::eye(2));
  const SpiralSession session = builder.build();
  CHECK(session.curvature() == -2.0);
  CHECK(session.entropy_weight() == 0.3);
  CHECK(session.beta_j() == 0.4);
  CHECK(session.topos().saturation() == 5.0);
  CHECK(session.hypergrad(2, 2).topos().max_volume() == 128);
  CHECK(session.coupling()->rows() == 2);
  CHECK(session.encoder().curvature() == -2.0);
  CHECK(session.repr() == "SpiralSession(device=cpu, curvature=-2, hyper_lr=0.1, fallback_lr=0.2)");
  builder.curvature(-1.0);
  check_error(Errc::curvature_mismatch, [&] { (void)builder.build(); });
  builder.clear_topos();
  CHECK(builder.build().topos().max_volume() == 1048576);
  CHECK(builder.build().hypergrad(2, 2).topos().max_volume() == 4);
  CHECK(SpiralSessionBuilder(session.options()).build().beta_j() == 0.4);
}

TEST_CASE("a trace's plan, a seed's guard, builders from sessions") {
  const SpiralSession session({.topos = OpenTopos(-1.0, 1e-6, 1.0, 8, 2)});
  const Tensor seed(1, 2);
  CHECK(session.trace(seed).sot_plan() == nullptr);
  CHECK(session.trace(seed, TracePlanOptions{}).sot_plan()->total_steps() == 2);
  CHECK(session.trace(seed, TracePlanOptions{.steps = 3}).sot_plan()->total_steps() == 3);
  check_error(Errc::invalid_value,
              [&] { (void)session.trace(seed, TracePlanOptions{.steps = -1}); });
  CHECK(session.trace(seed, TracePlanOptions{.steps = 0}).sot_plan() == nullptr);
  check_error(Errc::volume_exceeded, [&] { (void)session.trace(Tensor(1, 3)); });
  check_error(Errc::non_finite, [&] { (void)session.trace(Tensor(1, 2, {NAN, 0})); });
  CHECK(session.builder().build().topos().max_volume() == 2);
  CHECK(SpiralSessionBuilder("cpu").build().requested_device() == "cpu");
}

TEST_CASE("absent arguments of a barycenter mean the session's, J included") {
  const Tensor j(2, 2, {0, 1, 1, 0});
  const SpiralSession session({.entropy_weight = 0.3, .beta_j = 2.0, .coupling = j});
  const std::vector<Tensor> densities{Tensor(1, 2, {0.7F, 0.3F}), Tensor(1, 2, {0.2F, 0.8F})};
  const auto b = session.barycenter(densities);
  const auto same =
      z_space_barycenter(densities, {}, {.entropy_weight = 0.3, .beta_j = 2.0, .coupling = j});
  CHECK(b.objective == same.objective);
  CHECK(b.coupling_energy > 0);
  CHECK(session.barycenter(densities, {}, 0.0, 0.0).coupling_energy == 0);
  CHECK(session.barycenter(densities, {}, 0.0).effective_weight == 2);
}
