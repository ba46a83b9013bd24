#include "spiraltorch/nn/hyperbolic.hpp"

#include <cmath>

#include "check_error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/nn/zspace_projector.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

ModulePtr curved_layer(const Json& want) {
  const auto kind = want.at("layer").get<std::string>();
  const Json& config = want.at("config");
  const auto number = [&](const char* key) { return config.at(key).get<std::int64_t>(); };
  const double curvature = config.value("curvature", -1.0);
  if (kind == "PoincareLinear") {
    return std::make_shared<PoincareLinear>(
        number("input_dim"), number("output_dim"), curvature, "l",
        PoincareLinearOptions{.bias = config.value("bias", true)});
  }
  if (kind == "PoincareMLR") {
    return std::make_shared<PoincareMLR>(number("dim"), number("classes"), curvature);
  }
  if (kind == "ZSpaceProjector") {
    return std::make_shared<ZSpaceProjector>(
        OpenTopos(curvature, 1e-6, config.at("saturation").get<double>()),
        LanguageWaveEncoder(curvature, 0.5));
  }
  return nullptr;
}

void set(const Parameter& parameter, const Tensor& value) {
  const NoGrad guard;
  Parameter p = parameter;
  p.copy_(value);
}

// Ganea et al.'s distance to the hyperplane through p with normal a, in double.
double hyperplane_logit(const std::vector<double>& x, const std::vector<double>& z, double r,
                        double kappa) {
  const double root = std::sqrt(kappa);
  const auto dot = [](const auto& a, const auto& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  const double length = std::sqrt(dot(z, z));
  std::vector<double> p;  // -p
  std::vector<double> a;
  for (const double v : z) {
    p.push_back(-std::tanh(root * r) / root * v / length);
    a.push_back(v / std::pow(std::cosh(root * r), 2));
  }
  const double xy = dot(p, x);
  const double pp = dot(p, p);
  const double xx = dot(x, x);
  std::vector<double> sum;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum.push_back(((1 + 2 * kappa * xy + kappa * xx) * p[i] + (1 - kappa * pp) * x[i]) /
                  (1 + 2 * kappa * xy + kappa * kappa * pp * xx));
  }
  const double norm_a = std::sqrt(dot(a, a));
  const double lambda = 2 / (1 - kappa * pp);
  return lambda * norm_a / root *
         std::asinh(2 * root * dot(sum, a) / ((1 - kappa * dot(sum, sum)) * norm_a));
}

}  // namespace

TEST_CASE("golden layers of the ball") {
  int count = 0;
  for (const Json& want : learning::file().at("layers")) {
    const ModulePtr layer = curved_layer(want);
    if (layer == nullptr) continue;
    check_layer(*layer, want);
    ++count;
  }
  CHECK(count == 21);
}

TEST_CASE("golden initial values of layers of the ball") {
  for (const Json& want : learning::file().at("init")) {
    const auto kind = want.at("layer").get<std::string>();
    if (kind != "PoincareLinear" && kind != "PoincareMLR") continue;
    manual_seed(std::stoull(want.at("seed").get<std::string>()));
    if (kind == "PoincareLinear") {
      const PoincareLinear layer(want.at("input_dim").get<int>(), want.at("output_dim").get<int>());
      check_all(layer.weight(), want.at("weight"));
      check_all(*layer.bias(), want.at("bias"));
    } else {
      const PoincareMLR layer(want.at("dim").get<int>(), want.at("classes").get<int>());
      check_all(layer.weight(), want.at("weight"));
      check_all(layer.offset(), want.at("offset"));
    }
    CHECK(reserve_random_words(0).block == want.at("next_block").get<std::uint64_t>());
  }
}

TEST_CASE("gradients of layers of the ball by central differences, inside and on the clip") {
  for (const double curvature : {-0.5, -1.0, -2.0}) {
    for (const std::int64_t batch : {1, 3}) {
      for (const double scale : {0.15, 3.0}) {  // the latter: beyond the rim
        CAPTURE(curvature);
        CAPTURE(scale);
        const Tensor x = leaf(batch, 3, scale, 17);
        PoincareMLR mlr(3, 2, curvature);
        set(mlr.offset(), Tensor(1, 2, {0.3F, -0.2F}));
        PoincareLinear linear(3, 2, curvature);
        set(*linear.bias(), Tensor(1, 2, {0.1F, -0.2F}));
        if (scale < 1) {
          check_layer_gradient(mlr, x);
          check_layer_gradient(linear, x);
        }
        ZSpaceProjector projector(OpenTopos(curvature, 1e-6, 3.0),
                                  LanguageWaveEncoder(curvature, 0.5));
        check_layer_gradient(projector, x);
      }
    }
  }
}

TEST_CASE("PoincareMLR agrees with the hyperplane form, and with flat space for small curvature") {
  for (const double curvature : {-0.5, -1.0, -2.0}) {
    PoincareMLR layer(3, 2, curvature);
    set(layer.offset(), Tensor(1, 2, {0.4F, -0.3F}));
    const Tensor x = Tensor::randn(5, 3, 3).scale(0.2);
    const Tensor got = layer.forward(x);
    const auto points = x.tolist();
    const auto normals = layer.weight().transpose().tolist();
    for (std::size_t i = 0; i < points.size(); ++i) {
      for (std::size_t k = 0; k < 2; ++k) {
        const double r = layer.offset().at(0, std::int64_t(k));
        learning::check_near(got.at(std::int64_t(i), std::int64_t(k)),
                             hyperplane_logit(points[i], normals[k], r, -curvature));
      }
    }
  }
  PoincareMLR flat(2, 1, -1e-8);
  set(flat.weight(), Tensor(2, 1, {0.6F, -0.8F}));
  set(flat.offset(), Tensor(1, 1, {0.25F}));
  const double got = flat.forward(Tensor(1, 2, {1.0F, 0.5F})).item();
  CHECK(got == doctest::Approx(4 * (0.6 - 0.4 - 0.25)).epsilon(1e-3));
}

TEST_CASE("PoincareMLR is 0 with derivative 0 where a normal is 0, and finite on the rim") {
  PoincareMLR layer(2, 2);
  set(layer.weight(), Tensor(2, 2, {0, 1, 0, 2}));
  const Tensor x(2, 2, {0.3F, 0.4F, 3, 4});
  CHECK(layer.forward(x).at(0, 0) == 0);
  const Tensor gradient = layer.backward(x, Tensor::ones(2, 2));
  CHECK(layer.weight().grad()->at(0, 0) == 0);
  CHECK(layer.weight().grad()->at(1, 0) == 0);
  CHECK(layer.offset().grad()->at(0, 0) == 0);
  for (const float v : gradient.data()) CHECK(std::isfinite(v));
}

TEST_CASE("PoincareLinear composes like a matrix and tends to xW + b") {
  PoincareLinear first(3, 3);
  PoincareLinear second(3, 2);
  const Tensor x = Tensor::randn(4, 3, 9).scale(0.2);
  PoincareLinear both(3, 2);
  set(both.weight(), first.weight().detach().matmul(second.weight().detach()));
  CHECK(both.forward(x).allclose(second.forward(first.forward(x)), 1e-5, 1e-6));
  PoincareLinear flat(3, 2, -1e-8);
  set(*flat.bias(), Tensor(1, 2, {0.5F, -1}));
  CHECK(flat.forward(x).allclose(x.matmul(flat.weight()).add(*flat.bias()), 1e-5, 1e-5));
  check_error(Errc::curvature, [] { PoincareLinear bad(1, 1, 0.0); });
  check_error(Errc::shape_mismatch, [&] { (void)flat.forward(Tensor(1, 2)); });
  check_error(Errc::shape_mismatch, [] { (void)PoincareMLR(2, 2).forward(Tensor(1, 3)); });
  check_error(Errc::invalid_value, [] { PoincareMLR bad(2, 0); });
}
