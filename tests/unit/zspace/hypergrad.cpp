#include "spiraltorch/zspace/hypergrad.hpp"

#include <cmath>

#include "check_error.hpp"
#include "golden.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

Hypergrad tape_of(const Json& in) {
  const double curvature = golden::number(in.at("curvature"));
  std::optional<OpenTopos> topos;
  if (in.contains("saturation")) {
    topos = OpenTopos(curvature, 1e-6, golden::number(in.at("saturation")), 4096, 1048576);
  }
  return {curvature, golden::number(in.at("learning_rate")), in.at("rows"), in.at("cols"), topos};
}

void compare_gradient(const Hypergrad& tape, const Json& one) {
  golden::compare(golden::widen(tape.gradient()), one.at("expected"), one);
}

}  // namespace

TEST_CASE("golden tapes") {
  golden::each_case("Hypergrad.accumulate_wave", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    for (const Tensor& wave : golden::tensors(in.at("tensors"))) tape.accumulate_wave(wave);
    compare_gradient(tape, one);
  });
  golden::each_case("Hypergrad.accumulate_complex_wave", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    tape.accumulate_complex_wave(
        ComplexTensor::from_parts(golden::tensor(in.at("re")), golden::tensor(in.at("im"))));
    compare_gradient(tape, one);
  });
  golden::each_case("Hypergrad.accumulate_pair", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    tape.accumulate_pair(golden::tensor(in.at("prediction")), golden::tensor(in.at("target")));
    compare_gradient(tape, one);
  });
  golden::each_case("Hypergrad.absorb_text", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    const LanguageWaveEncoder encoder(golden::number(in.at("encoder_curvature")),
                                      golden::number(in.at("temperature")));
    tape.absorb_text(encoder, in.at("text").get<std::string>());
    compare_gradient(tape, one);
  });
  golden::each_case("Hypergrad.accumulate_barycenter_path", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    const auto bary =
        z_space_barycenter(golden::tensors(in.at("densities")), golden::flat(in.at("weights")),
                           {.entropy_weight = golden::number(in.at("entropy_weight"))});
    tape.accumulate_barycenter_path(bary.intermediates);
    compare_gradient(tape, one);
  });
  golden::each_case("Hypergrad.apply", [](const Json& in, const Json& one) {
    Hypergrad tape = tape_of(in);
    tape.accumulate_wave(golden::tensor(in.at("gradient")));
    Tensor weights = golden::tensor(in.at("weights"));
    tape.apply(weights);
    golden::compare(golden::widen(weights.data()), one.at("expected").at("weights"), one);
    golden::compare(golden::widen(tape.gradient()), one.at("expected").at("gradient_after"), one);
  });
}

TEST_CASE("the README's first program") {
  Tensor z(2, 4, {0.1F, 0.2F, 0.3F, 0.4F, 0.9F, 0.8F, 0.7F, 0.6F});
  const LanguageWaveEncoder encoder(-1.0, 0.5);
  const Tensor wave = encoder.encode_z_space("SpiralTorch in Rust");
  Hypergrad tape(-1.0, 0.05, z.rows(), z.cols());
  tape.accumulate_pair(z, wave);
  const auto gradient = golden::widen(tape.gradient());
  tape.apply(z);
  golden::each_case("README.block1", [&](const Json&, const Json& one) {
    golden::compare({double(wave.rows()), double(wave.cols())}, one.at("expected").at("wave_shape"),
                    one);
    golden::compare(gradient, one.at("expected").at("gradient"), one);
    golden::compare(golden::widen(z.data()), one.at("expected").at("z"), one);
  });
  // The values that the specification prints.
  const std::vector<double> printed{0.102244, 0.198776, 0.297597, 0.399899,
                                    0.538524, 0.478817, 0.418839, 0.359103};
  for (std::size_t i = 0; i < 8; ++i) CHECK(std::abs(z.data()[i] - printed[i]) <= 5e-6);
  CHECK(std::abs(wave.norm().item() - 0.969501) <= 5e-6);
  CHECK(std::abs(wave.at(0, 2) + 0.092345) <= 5e-6);
}

TEST_CASE("a zero gradient leaves rows bit for bit, the step length is exact") {
  const PoincareBall ball(-0.25);
  Tensor w = ball.expmap0(Tensor::randn(50, 7, 3) * 0.5);
  const auto before = w.data();
  Hypergrad tape(-0.25, 0.1, 50, 7);
  tape.apply(w);
  CHECK(w.data() == before);
  const Tensor start = w.clone();
  const Tensor g = Tensor::randn(50, 7, 5) * 0.2;
  tape.accumulate_wave(g);
  tape.apply(w);
  const Tensor length = g.norm(Axis::cols) * 0.1 / ball.conformal_factor(start);
  CHECK(((ball.dist(start, w) - length) / length).abs().max().item() <= 2e-4);
  CHECK(tape.gradient() == std::vector<float>(350, 0.0F));
}

TEST_CASE("the differential of half the squared distance with rate 1 lands on the point") {
  for (const double kappa : {0.25, 1.0, 4.0}) {
    const PoincareBall ball(-kappa);
    Tensor w = ball.expmap0(Tensor::randn(20, 3, 7) * (0.4 * ball.radius()));
    const Tensor p = ball.expmap0(Tensor::randn(20, 3, 9) * (0.4 * ball.radius()));
    // grad ½d² = −log_w(p); as a Euclidean differential: −λ² log_w(p).
    const Tensor lambda = ball.conformal_factor(w);
    Hypergrad tape(-kappa, 1.0, 20, 3);
    tape.accumulate_wave(-(lambda * lambda * ball.logmap(w, p)));
    tape.apply(w);
    CHECK((w - p).abs().max().item() <= 2e-5 * ball.radius());
  }
}

TEST_CASE("sums saturate, rows outside the ball are imported") {
  Hypergrad tape(-1.0, 0.1, 1, 2, OpenTopos(-1.0, 1e-6, 2.0, 16, 2));
  tape.accumulate_wave(Tensor(1, 2, {3e38F, -1}));
  tape.accumulate_wave(Tensor(1, 2, {3e38F, -3}));
  CHECK(tape.gradient() == std::vector<float>{2, -2});
  tape.reset();
  Tensor w(1, 2, {30, 40});
  tape.apply(w);
  CHECK(w.norm().item() == doctest::Approx(1 - 1e-5).epsilon(1e-6));
}

TEST_CASE("tape conditions leave tape and weights as they were") {
  check_error(Errc::curvature, [] { (void)Hypergrad(1.0, 0.1, 1, 1); });
  check_error(Errc::invalid_value, [] { (void)Hypergrad(-1.0, 0.0, 1, 1); });
  check_error(Errc::non_finite, [] { (void)Hypergrad(-1.0, NAN, 1, 1); });
  check_error(Errc::invalid_shape, [] { (void)Hypergrad(-1.0, 0.1, 0, 1); });
  check_error(Errc::curvature_mismatch, [] { (void)Hypergrad(-1.0, 0.1, 1, 1, OpenTopos(-2.0)); });
  check_error(Errc::volume_exceeded,
              [] { (void)Hypergrad(-1.0, 0.1, 2, 2, OpenTopos(-1.0, 1e-6, 1.0, 1, 3)); });
  Hypergrad tape(-1.0, 0.1, 1, 4);
  tape.accumulate_wave(Tensor(1, 4, {1, 2, 3, 4}));
  const auto before = tape.gradient();
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_wave(Tensor(2, 2)); });
  check_error(Errc::non_finite, [&] { tape.accumulate_wave(Tensor(1, 4, {NAN, 0, 0, 0})); });
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_complex_wave(ComplexTensor(1, 4)); });
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_pair(Tensor(1, 4), Tensor(2, 4)); });
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_pair(Tensor(1, 3), Tensor(1, 4)); });
  check_error(Errc::non_finite, [&] {
    tape.accumulate_pair(Tensor(1, 4), Tensor(1, 6, {0, 0, 0, 0, 0, INFINITY}));
  });
  check_error(Errc::empty_input, [&] { tape.accumulate_barycenter_path({}); });
  const auto bary = z_space_barycenter(std::vector<Tensor>{Tensor::ones(1, 2)});
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_barycenter_path(bary.intermediates); });
  const LanguageWaveEncoder encoder(-1.0, 0.5);
  check_error(Errc::curvature_mismatch,
              [&] { tape.absorb_text(LanguageWaveEncoder(-2.0, 0.5), "a"); });
  check_error(Errc::empty_input, [&] { tape.absorb_text(encoder, ""); });
  check_error(Errc::depth_exceeded, [&] { tape.absorb_text(encoder, "seventeen letters"); });
  check_error(Errc::invalid_value, [&] { tape.scale_learning_rate(0.0); });
  check_error(Errc::non_finite, [&] { tape.scale_learning_rate(NAN); });
  Tensor w(1, 4, {0.1F, 0.2F, NAN, 0});
  check_error(Errc::non_finite, [&] { tape.apply(w); });
  Tensor wrong(4, 1);
  check_error(Errc::shape_mismatch, [&] { tape.apply(wrong); });
  Tensor kept(1, 4, {.requires_grad = true});
  const Tensor graph = kept * kept;
  check_error(Errc::graph, [&] { tape.apply(kept); });
  CHECK(tape.gradient() == before);
  CHECK(w.at(0, 0) == doctest::Approx(0.1));
  CHECK(tape.learning_rate() == 0.1);
  tape.scale_learning_rate(0.5);
  CHECK(tape.learning_rate() == 0.05);
  Tensor leaf(1, 4, {.requires_grad = true});
  tape.apply(leaf);  // a parameter that no graph keeps is updated
  CHECK(leaf.norm().item() > 0);
  CHECK(Hypergrad(-1.0, 0.05, 2, 4).repr() ==
        "Hypergrad(curvature=-1, learning_rate=0.05, rows=2, cols=4)");
  CHECK(Hypergrad(-1.0, 0.05, 2, 4).topos().max_depth() == 32);
}

TEST_CASE("copies of a tape are independent") {
  Hypergrad tape(-1.0, 0.1, 1, 2);
  tape.accumulate_wave(Tensor(1, 2, {1, 2}));
  const Hypergrad copy = tape;
  tape.reset();
  CHECK(tape.gradient() == std::vector<float>{0, 0});
  CHECK(copy.gradient() == std::vector<float>{1, 2});
}

TEST_CASE("sums beyond float32 and steps beyond double stay finite") {
  Hypergrad tape(-1.0, 1e300, 2, 2, OpenTopos(-1.0, 1e-6, 1e300, 16, 4));
  const Tensor huge(2, 2, {3e38F, -3e38F, 3e38F, 0});
  tape.accumulate_wave(huge);
  tape.accumulate_pair(huge, Tensor(2, 2, {-3e38F, 3e38F, -3e38F, 0}));
  for (const float v : tape.gradient()) REQUIRE(std::isfinite(v));
  Tensor w(2, 2, {0.1F, 0.2F, 0.5F, 0});
  tape.apply(w);
  for (const float v : w.data()) REQUIRE(std::isfinite(v));
  CHECK(w.norm(Axis::cols).max().item() <= 1);
}

TEST_CASE("every stage of a path is checked, the sum telescopes to zero total") {
  Hypergrad tape(-1.0, 0.1, 1, 3);
  const std::vector<Tensor> densities{Tensor(1, 3, {0.2F, 0.5F, 0.3F}),
                                      Tensor(1, 3, {0.7F, 0.1F, 0.2F})};
  auto path = z_space_barycenter(densities, {}, {.entropy_weight = 0.5}).intermediates;
  tape.accumulate_barycenter_path(path);
  const auto before = tape.gradient();
  CHECK(std::abs(before[0] + before[1] + before[2]) <= 1e-6F);
  path[2].density = Tensor(1, 3, {0, NAN, 1});
  check_error(Errc::non_finite, [&] { tape.accumulate_barycenter_path(path); });
  path[2].density = Tensor(3, 1);
  check_error(Errc::shape_mismatch, [&] { tape.accumulate_barycenter_path(path); });
  const LanguageWaveEncoder encoder(-1.0, 0.5);
  check_error(Errc::invalid_value, [&] { tape.absorb_text(encoder, "a\xFF"); });
  check_error(Errc::non_finite, [&] { tape.scale_learning_rate(1e308 * 10); });
  CHECK(tape.gradient() == before);
}
