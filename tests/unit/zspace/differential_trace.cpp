#include "spiraltorch/zspace/differential_trace.hpp"

#include <cmath>

#include "check_error.hpp"
#include "golden.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

const Tensor kSeed(1, 2, {0.1F, 0.2F});
const std::vector<Tensor> kDensities{Tensor(1, 2, {0.6F, 0.4F}), Tensor(1, 2, {0.5F, 0.5F})};

SpiralDifferentialTrace trace_of(const Tensor& seed) { return {seed, TraceSettings{}}; }

// A trace that lacks nothing, to which a test adds what it looks at.
SpiralDifferentialTrace& complete(SpiralDifferentialTrace& trace, const Tensor& seed) {
  return trace.deform(Tensor(seed.rows(), seed.cols()), Tensor(seed.rows(), seed.cols()))
      .via(Tensor::eye(seed.cols()))
      .with_barycenter_from({1, 1}, kDensities);
}

}  // namespace

TEST_CASE("golden traces") {
  golden::each_case("Trace.homotopy_flow", [](const Json& in, const Json& one) {
    const Tensor seed = golden::tensor(in.at("seed"));
    auto trace = trace_of(seed);
    for (const Json& d : in.at("deforms")) {
      trace.deform(golden::tensor(d.at("generator")), golden::tensor(d.at("direction")));
    }
    trace.via(Tensor::eye(seed.cols())).with_barycenter_from({1, 1}, kDensities);
    golden::compare(golden::widen(trace.resonate().homotopy_flow().data()), one.at("expected"),
                    one);
  });
  golden::each_case("Trace.commutator", [](const Json& in, const Json& one) {
    const Tensor seed = golden::tensor(in.at("seed"));
    auto trace = trace_of(seed);
    for (const char* which : {"first", "second"}) {
      const Json& d = in.at(which);
      trace.deform(golden::tensor(d.at("generator")), golden::tensor(d.at("direction")));
    }
    trace.via(Tensor::eye(seed.cols())).with_barycenter_from({1, 1}, kDensities);
    golden::compare(golden::widen(trace.resonate().commutator().data()), one.at("expected"), one);
  });
  golden::each_case("Trace.functor_linearisation", [](const Json& in, const Json& one) {
    const Tensor direction = golden::tensor(in.at("direction"));
    auto trace = trace_of(Tensor(direction.rows(), direction.cols()));
    trace.deform(direction, direction)
        .via(golden::tensor(in.at("kernel")))
        .with_barycenter_from({1, 1}, kDensities);
    golden::compare(golden::widen(trace.resonate().functor_linearisation().data()),
                    one.at("expected"), one);
  });
  for (const bool energy : {true, false}) {
    golden::each_case(
        energy ? "Trace.infinity_energy" : "Trace.infinity_projection",
        [&](const Json& in, const Json& one) {
          const auto levels = golden::tensors(in.at("levels"));
          const Tensor seed(levels[0].rows(), levels[0].cols());
          auto trace = trace_of(seed);
          complete(trace, seed).with_infinity(levels, golden::flat(in.at("curvatures")));
          const auto r = trace.resonate();
          golden::compare(
              golden::widen((energy ? r.infinity_energy() : r.infinity_projection()).data()),
              one.at("expected"), one);
        });
  }
  golden::each_case("Trace.recursive_objective", [](const Json& in, const Json& one) {
    TraceSettings settings;
    settings.barycenter.entropy_weight = golden::number(in.at("entropy_weight"));
    SpiralDifferentialTrace trace(kSeed, settings);
    complete(trace, kSeed)
        .with_barycenter_from(golden::flat(in.at("weights")), golden::tensors(in.at("densities")));
    golden::compare(golden::widen(trace.resonate().recursive_objective().data()),
                    one.at("expected"), one);
  });
}

TEST_CASE("kernels compose, a source replaces the seed, levels default to the density") {
  auto trace = trace_of(kSeed);
  trace.deform(Tensor(1, 2, {1, 1}), Tensor(1, 2, {0.5F, -1}))
      .via(Tensor(2, 3, {1, 2, 3, 4, 5, 6}))
      .via(Tensor(3, 1, {1, 0, -1}), Tensor(1, 2, {1, 1}))
      .with_barycenter(z_space_barycenter(kDensities));
  const auto r = trace.resonate();
  CHECK(r.functor_value().data() == std::vector<float>{-4});
  CHECK(r.functor_linearisation().data() == std::vector<float>{1});
  CHECK(r.commutator().data() == std::vector<float>{0, 0});
  const Tensor density = z_space_barycenter(kDensities).density;
  CHECK(r.infinity_projection().data() == density.data());
  CHECK(r.infinity_energy().item() == doctest::Approx(density.squared_l2_norm()).epsilon(1e-6));
  CHECK(r.as_dict().size() == 7);
}

TEST_CASE("the commutator of small steps is of third order") {
  const Tensor g1(1, 2, {1, 0.5F}), g2(1, 2, {-0.5F, 1}), one = Tensor::ones(1, 2);
  const auto size = [&](double h) {
    auto trace = trace_of(kSeed);
    trace.deform(g1 * h, one)
        .deform(g2 * h, one)
        .via(Tensor::eye(2))
        .with_barycenter_from({1, 1}, kDensities);
    return trace.resonate().commutator().norm().item();
  };
  CHECK(size(0.4) / size(0.2) == doctest::Approx(8).epsilon(0.25));
}

TEST_CASE("an infinite tower's energy is the squared tangent of half the distance") {
  const double kappa = 2.0;
  TraceSettings settings;
  settings.curvature = -kappa;
  SpiralDifferentialTrace trace(kSeed, settings);
  complete(trace, kSeed).with_infinity(std::vector<Tensor>{kSeed});
  const double d = kSeed.hyperbolic_distance(Tensor(1, 2), -kappa);
  CHECK(trace.resonate().infinity_energy().item() ==
        doctest::Approx(std::pow(std::tanh(std::sqrt(kappa) * d / 2), 2)).epsilon(1e-6));
}

TEST_CASE("missing components are reported in order, failed setters change nothing") {
  auto trace = trace_of(kSeed);
  const auto missing = [&](const char* what) {
    try {
      (void)trace.resonate();
      FAIL("resonated");
    } catch (const Error& e) {
      CHECK(e.code() == Errc::empty_input);
      CHECK(std::string(e.what()).find(what) != std::string::npos);
    }
  };
  missing("deformation");
  check_error(Errc::shape_mismatch, [&] { trace.deform(Tensor(2, 1), kSeed); });
  check_error(Errc::non_finite, [&] { trace.deform(kSeed, Tensor(1, 2, {NAN, 0})); });
  missing("deformation");
  trace.deform(kSeed, kSeed);
  missing("kernel");
  check_error(Errc::shape_mismatch, [&] { trace.via(Tensor(3, 2)); });
  check_error(Errc::shape_mismatch, [&] { trace.via(Tensor::eye(2), Tensor(2, 1)); });
  check_error(Errc::non_finite, [&] { trace.via(Tensor(2, 1, {INFINITY, 0})); });
  missing("kernel");
  trace.via(Tensor::eye(2));
  missing("barycenter");
  check_error(Errc::length_mismatch, [&] { trace.with_barycenter_from({1}, kDensities); });
  missing("barycenter");
  trace.with_barycenter_with({1, 1}, kDensities);
  check_error(Errc::empty_input, [&] { trace.with_infinity({}); });
  check_error(Errc::shape_mismatch,
              [&] { trace.with_infinity(std::vector<Tensor>{Tensor(2, 2)}); });
  check_error(Errc::length_mismatch, [&] {
    trace.with_infinity(std::vector<Tensor>{kSeed}, {-1, -2});
  });
  check_error(Errc::non_finite, [&] { trace.with_infinity(std::vector<Tensor>{kSeed}, {NAN}); });
  check_error(Errc::curvature_mismatch, [&] { trace.across(OpenTopos(-3.0)); });
  check_error(Errc::non_finite, [] { (void)trace_of(Tensor(1, 1, {NAN})); });
  CHECK(trace.resonate().infinity_energy().cols() == 1);
}

TEST_CASE("a guard sees every result; the tape takes the path or nothing") {
  auto trace = trace_of(kSeed);
  complete(trace, kSeed);
  Hypergrad tape(-1.0, 0.1, 1, 2);
  (void)trace.resonate_with_hypergrad(tape);
  CHECK(tape.gradient()[0] != 0.0F);
  Hypergrad wrong(-1.0, 0.1, 2, 1);
  check_error(Errc::shape_mismatch, [&] { (void)trace.resonate_with_hypergrad(wrong); });
  CHECK(wrong.gradient() == std::vector<float>{0, 0});
  trace.across(OpenTopos(-1.0, 1e-6, 0.05, 8, 8));
  CHECK(trace.resonate().homotopy_flow().max().item() == doctest::Approx(0.05));
  trace.across(OpenTopos(-1.0, 1e-6, 1.0, 8, 1));
  check_error(Errc::volume_exceeded, [&] { (void)trace.resonate_with_hypergrad(tape); });
}

TEST_CASE("a trace keeps copies of what it was given") {
  auto trace = trace_of(kSeed);
  auto bary = z_space_barycenter(kDensities);
  Tensor generator(1, 2, {0.1F, 0.2F});
  trace.deform(generator, Tensor::ones(1, 2)).via(Tensor::eye(2)).with_barycenter(bary);
  const auto before = trace.resonate();
  bary.density.fill_(5);
  for (auto& stage : bary.intermediates) stage.density.fill_(5);
  generator.fill_(0);
  const auto after = trace.resonate();
  CHECK(after.infinity_projection().data() == before.infinity_projection().data());
  CHECK(after.homotopy_flow().data() == before.homotopy_flow().data());
}

TEST_CASE("what overflows into NaN is reported") {
  auto trace = trace_of(kSeed);
  complete(trace, kSeed).deform(Tensor::full(1, 2, 1e30), Tensor::full(1, 2, 1e30));
  Hypergrad tape(-1.0, 0.1, 1, 2);
  check_error(Errc::non_finite, [&] { (void)trace.resonate_with_hypergrad(tape); });
  CHECK(tape.gradient() == std::vector<float>{0, 0});
}
