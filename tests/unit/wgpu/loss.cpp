#include "spiraltorch/nn/loss.hpp"

#include "check_error.hpp"
#include "conformance.hpp"
#include "spiraltorch/nn/hyperbolic_loss.hpp"

using namespace conformance;
using namespace spiraltorch;

namespace {

const std::vector<Shape> kShapes{{1, 2}, {5, 3}, {64, 10}, {3, 1000}, {1025, 7}};

void check(OpId op, const In& p, const In& t, const std::vector<double>& scalars = {},
           const std::vector<std::int64_t>& ints = {}) {
  CAPTURE(std::string(op_info(op).name));
  CAPTURE(p.rows);
  CAPTURE(p.cols);
  const std::vector<Out> both{{{1, 1}}, {{p.rows, p.cols}}};
  const auto want = run(kCpu, op, {p, t}, both, scalars, ints);
  const auto got = run(kWgpu, op, {p, t}, both, scalars, ints);
  const double size = 1.0 / static_cast<double>(p.rows);
  check_close(as_floats(got[0]), as_floats(want[0]), 2e-6, 2e-7);
  check_close(as_floats(got[1]), as_floats(want[1]), 2e-6, 3e-7 * size);
  const auto alone = run(kWgpu, op, {p, t}, {{{1, 1}}}, scalars, ints);
  CHECK(alone[0] == got[0]);
}

In classes(std::int64_t rows, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) values.push_back(static_cast<float>(i * 7 % count));
  return floats(rows, 1, values);
}

}  // namespace

TEST_CASE("losses: values and gradients") {
  if (!adapter_here()) return;
  for (const Shape shape : kShapes) {
    const In p = normal(shape.rows, shape.cols, 1, 3.0F);
    const In t = normal(shape.rows, shape.cols, 2);
    In rows = t;
    rows.words = run(kCpu, OpId::softmax, {t}, {{shape}})[0];
    check(OpId::squared_error, p, t);
    check(OpId::cross_entropy, p, classes(shape.rows, shape.cols));
    check(OpId::cross_entropy, p, rows);
    check(OpId::logistic_loss, p, t, {-0.5, 0.75, 0.01, 0.99}, {0});
  }
}

TEST_CASE("losses: what does not fit is NaN, and told when the value is read") {
  if (!adapter_here()) return;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor p = Tensor(2, 3, {1, 2, 3, 4, 5, 6}).to(kWgpu);
  const auto refused = [&](const nn::Loss& loss, const Tensor& x, const Tensor& t) {
    const nn::LossResult result = loss.value_and_gradient(x, t.to(kWgpu));
    check_error(Errc::invalid_value, [&] { (void)result.value.item(); });
    check_error(Errc::invalid_value, [&] { (void)result.value.at(0, 0); });
    Tensor leaf = x.detach();
    leaf.requires_grad_();
    const Tensor value = loss.forward(leaf, t.to(kWgpu));
    check_error(Errc::invalid_value, [&] { (void)value.item(); });
  };
  for (const float k : {-1.0F, 3.0F, 0.5F, nan}) {
    refused(nn::CrossEntropy(), p, Tensor(2, 1, {0, k}));
  }
  refused(nn::CrossEntropy(), p, Tensor(2, 3, {1, 0, 0, 1, -1, 1}));
  refused(nn::CrossEntropy(), p, Tensor(2, 3, {1, 0, 0, .5F, 0, 0}));
  refused(nn::FermiDiracLoss(), p, Tensor(2, 3, {0, 0, 0, 0, 0, 2}));
  refused(nn::FermiDiracLoss(), p.neg(), Tensor(2, 3));
  const Tensor lost = Tensor(1, 2, {nan, 1}).to(kWgpu);
  const auto value = nn::CrossEntropy().forward(lost, Tensor(1, 1).to(kWgpu));
  CHECK(std::isnan(value.item()));  // the prediction's fault is no error here
}
