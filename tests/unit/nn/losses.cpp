#include "check_error.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

std::unique_ptr<Loss> make_loss(const Json& want) {
  const auto kind = want.at("loss").get<std::string>();
  if (kind == "MeanSquaredError") return std::make_unique<MeanSquaredError>();
  if (kind == "CrossEntropy") return std::make_unique<CrossEntropy>();
  return nullptr;
}

}  // namespace

TEST_CASE("golden losses") {
  int count = 0;
  for (const Json& want : learning::file().at("losses")) {
    const auto loss = make_loss(want);
    if (loss == nullptr) continue;
    CAPTURE(loss->repr());
    const Tensor prediction = tensor(want.at("prediction"));
    const Tensor target = tensor(want.at("target"));
    learning::check_near(loss->forward(prediction, target).item(), want.at("value").get<double>());
    check_all(loss->backward(prediction, target), want.at("grad"));
    CHECK_FALSE(prediction.requires_grad());
    ++count;
  }
  CHECK(count >= 6);
}

TEST_CASE("gradients of losses by central differences") {
  for (const std::int64_t batch : {1, 3}) {
    const Tensor p = leaf(batch, 4, 1.0, 3);
    const Tensor t = Tensor::randn(batch, 4, 5);
    check_gradient([&] { return MeanSquaredError().forward(p, t); }, {p});
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
