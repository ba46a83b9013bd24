#include "check_error.hpp"
#include "spiraltorch/nn/hyperbolic_loss.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

std::unique_ptr<Loss> make_loss(const Json& want) {
  const auto kind = want.at("loss").get<std::string>();
  if (kind == "MeanSquaredError") return std::make_unique<MeanSquaredError>();
  if (kind == "CrossEntropy") return std::make_unique<CrossEntropy>();
  const Json& config = want.at("config");
  const auto number = [&](const char* key) { return config.at(key).get<double>(); };
  if (kind == "HyperbolicCrossEntropy") {
    return std::make_unique<HyperbolicCrossEntropy>(number("curvature"), number("epsilon"));
  }
  if (kind == "PoincareDistanceLoss") {
    return std::make_unique<PoincareDistanceLoss>(number("curvature"));
  }
  return std::make_unique<FermiDiracLoss>(number("radius"), number("temperature"));
}

}  // namespace

TEST_CASE("golden losses") {
  int count = 0;
  for (const Json& want : learning::file().at("losses")) {
    const auto loss = make_loss(want);
    CAPTURE(loss->repr());
    const Tensor prediction = tensor(want.at("prediction"));
    const Tensor target = tensor(want.at("target"));
    learning::check_near(loss->forward(prediction, target).item(), want.at("value").get<double>());
    check_all(loss->backward(prediction, target), want.at("grad"));
    CHECK_FALSE(prediction.requires_grad());
    ++count;
  }
  CHECK(count == 19);
}

TEST_CASE("gradients of losses by central differences") {
  for (const std::int64_t batch : {1, 3}) {
    const Tensor p = leaf(batch, 4, 1.0, 3);
    const Tensor t = Tensor::randn(batch, 4, 5);
    Tensor moving = t.clone();
    moving.requires_grad_();
    check_gradient([&] { return MeanSquaredError().forward(p, moving); }, {p, moving});
    check_gradient([&] { return CrossEntropy().forward(p, t.softmax()); }, {p});
    const Tensor classes(batch, 1);
    check_gradient([&] { return CrossEntropy().forward(p, classes); }, {p});
  }
}

TEST_CASE("losses refuse what does not fit") {
  const Tensor p(2, 3);
  check_error(Errc::shape_mismatch, [&] { (void)MeanSquaredError().forward(p, Tensor(1, 3)); });
  const auto refused = [&](const Tensor& t, Errc code = Errc::invalid_value) {
    check_error(code, [&] { (void)CrossEntropy().forward(p, t); });
  };
  refused(Tensor(2, 1, {0, 3}));
  refused(Tensor(2, 1, {0, -1}));
  refused(Tensor(2, 1, {0.5F, 1}));
  refused(Tensor(2, 1, {NAN, 1}));
  refused(Tensor(2, 3, {1, 0, 0, 0.5F, 0, 0}));
  refused(Tensor(2, 3, {1, 0, 0, 2, -1, 0}));
  refused(Tensor(3, 1), Errc::shape_mismatch);
  check_error(Errc::shape_mismatch,
              [&] { (void)CrossEntropy().forward(Tensor(2, 1), Tensor(2, 1)); });
  Tensor t(2, 1);
  t.requires_grad_();
  refused(t, Errc::unsupported);
}

TEST_CASE("gradients of losses of the ball by central differences") {
  for (const double curvature : {-0.5, -1.0, -2.0}) {
    for (const std::int64_t batch : {1, 3}) {
      const Tensor p = leaf(batch, 3, 0.15, 3);
      const Tensor t = Tensor::randn(batch, 3, 5).scale(0.2);
      Tensor moving = t.clone();
      moving.requires_grad_();
      check_gradient([&] { return PoincareDistanceLoss(curvature).forward(p, moving); },
                     {p, moving});
      const Tensor far = leaf(batch, 3, 4.0, 3);  // beyond the rim
      check_gradient([&] { return PoincareDistanceLoss(curvature).forward(far, t); }, {far});
      const Tensor labels = t.sigmoid();
      check_gradient([&] { return HyperbolicCrossEntropy(curvature).forward(far, labels); }, {far});
      Tensor lengths = far.detach().abs() + 0.1;
      lengths.requires_grad_();
      check_gradient([&] { return FermiDiracLoss(1.0, 0.5).forward(lengths, labels); }, {lengths});
      check_gradient([&] { return fermi_dirac(lengths, 1.0, 0.5); }, {lengths});
    }
  }
  // Where max(z, 0) has no derivative the loss has one.
  const Tensor zero(1, 1);
  CHECK(HyperbolicCrossEntropy().backward(zero, Tensor(1, 1, {0.25F})).item() == 0.25);
}

TEST_CASE("PoincareDistanceLoss has the gradient -2λ²log_p(t)/B") {
  const PoincareBall ball(-2.0);
  const Tensor p = Tensor::randn(3, 2, 1).scale(0.2);
  const Tensor t = Tensor::randn(3, 2, 2).scale(0.2);
  const Tensor factor = ball.conformal_factor(p);
  const Tensor want = ball.logmap(p, t) * (factor * factor) * (-2.0 / 3.0);
  CHECK(PoincareDistanceLoss(-2.0).backward(p, t).allclose(want, 1e-5, 1e-6));
}

TEST_CASE("golden edge probabilities, and options that are refused") {
  const Json& want = learning::file().at("edge_probability");
  const auto distance = want.at("distance").get<std::vector<double>>();
  const Tensor row(1, std::ssize(distance), std::span<const double>(distance));
  check_all(fermi_dirac(row, want.at("radius").get<double>(), want.at("temperature").get<double>()),
            Json::array({want.at("probability")}));
  check_error(Errc::invalid_value, [&] { (void)fermi_dirac(row, 2.0, 0.0); });
  check_error(Errc::non_finite, [&] { (void)FermiDiracLoss(NAN, 1.0); });
  check_error(Errc::invalid_value, [] { (void)HyperbolicCrossEntropy(-1.0, 0.5); });
  check_error(Errc::curvature, [] { (void)HyperbolicCrossEntropy(1.0); });
  check_error(Errc::curvature, [] { (void)PoincareDistanceLoss(0.0); });
  check_error(Errc::invalid_value,
              [] { (void)FermiDiracLoss().forward(Tensor(1, 1, {-1}), Tensor(1, 1)); });
  check_error(Errc::invalid_value,
              [] { (void)FermiDiracLoss().forward(Tensor(1, 1), Tensor(1, 1, {2})); });
  check_error(Errc::shape_mismatch,
              [] { (void)PoincareDistanceLoss().forward(Tensor(1, 2), Tensor(2, 2)); });
}
