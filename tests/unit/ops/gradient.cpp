#include <doctest/doctest.h>

#include <array>
#include <functional>

#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;

namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// The weights make every element of the result count differently.
double value(const Function& f, const std::vector<Tensor>& inputs) {
  const NoGrad guard;
  const Tensor y = f(inputs);
  const auto data = y.data();
  double sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) sum += data[i] * (1.0 + 0.37 * double(i));
  return sum;
}

Tensor weights_like(const Tensor& y) {
  return Tensor::from_fn(y.rows(), y.cols(),
                         [&](auto i, auto j) { return 1.0 + 0.37 * double(i * y.cols() + j); });
}

// Central differences in float32: h balances rounding (1e-7/h) and curvature (h²).
void check_gradient(const Function& f, std::vector<Tensor> inputs) {
  constexpr double kStep = 1.0 / 128;
  for (Tensor& x : inputs) {
    x = x.clone();  // handles share gradients: each check starts afresh
    x.requires_grad_();
  }
  const Tensor y = f(inputs);
  y.backward(weights_like(y));
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    REQUIRE(inputs[k].grad());
    const auto gradient = inputs[k].grad()->data();
    for (std::int64_t i = 0; i < inputs[k].size(); ++i) {
      auto shifted = [&](double h) {
        auto values = inputs[k].data();
        values[std::size_t(i)] += static_cast<float>(h);
        auto moved = inputs;
        moved[k] = Tensor(inputs[k].rows(), inputs[k].cols(), std::span<const float>(values));
        return value(f, moved);
      };
      const double expected = (shifted(kStep) - shifted(-kStep)) / (2 * kStep);
      CAPTURE(k);
      CAPTURE(i);
      CHECK(gradient[std::size_t(i)] == doctest::Approx(expected).epsilon(4e-3).scale(1));
    }
  }
}

Tensor random(std::int64_t r, std::int64_t c, std::uint64_t seed) {
  return Tensor::randn(r, c, seed);
}
Tensor positive(std::int64_t r, std::int64_t c, std::uint64_t seed) {
  return Tensor::rand(r, c, seed) + 0.7;
}

}  // namespace

TEST_CASE("gradients of broadcast arithmetic") {
  const std::array<std::array<Shape, 2>, 5> shapes{{{{{2, 3}, {2, 3}}},
                                                    {{{2, 3}, {1, 3}}},
                                                    {{{2, 1}, {2, 3}}},
                                                    {{{1, 1}, {2, 3}}},
                                                    {{{1, 1}, {1, 1}}}}};
  for (const auto& [a, b] : shapes) {
    const std::vector<Tensor> inputs{random(a.rows, a.cols, 1), positive(b.rows, b.cols, 2)};
    check_gradient([](const auto& x) { return x[0] + x[1]; }, inputs);
    check_gradient([](const auto& x) { return x[0] - x[1]; }, inputs);
    check_gradient([](const auto& x) { return x[0] * x[1]; }, inputs);
    check_gradient([](const auto& x) { return x[0] / x[1]; }, inputs);
  }
}

TEST_CASE("gradients of functions") {
  const std::vector<Tensor> any{random(3, 2, 3)};
  const std::vector<Tensor> above{positive(3, 2, 4)};
  check_gradient([](const auto& x) { return -x[0]; }, any);
  check_gradient([](const auto& x) { return x[0] * 2.5; }, any);
  check_gradient([](const auto& x) { return x[0].exp(); }, any);
  check_gradient([](const auto& x) { return x[0].tanh(); }, any);
  check_gradient([](const auto& x) { return x[0].sigmoid(); }, any);
  check_gradient([](const auto& x) { return x[0].log(); }, above);
  check_gradient([](const auto& x) { return x[0].sqrt(); }, above);
  check_gradient([](const auto& x) { return x[0].pow(2.5); }, above);
  const std::vector<Tensor> apart{Tensor(1, 4, {-2, -0.5F, 0.5F, 2})};  // away from the kinks
  check_gradient([](const auto& x) { return x[0].relu(); }, apart);
  check_gradient([](const auto& x) { return x[0].abs(); }, apart);
  check_gradient([](const auto& x) { return x[0].clamp(-1.0, 1.0); }, apart);
}

TEST_CASE("chosen gradients where none exists") {
  const auto gradient_at = [](float at, auto&& f) {
    const Tensor x(1, 1, {at}, {.requires_grad = true});
    f(x).backward();
    return x.grad()->item();
  };
  CHECK(gradient_at(0, [](const Tensor& x) { return x.abs(); }) == 0);
  CHECK(gradient_at(0, [](const Tensor& x) { return x.relu(); }) == 0);
  CHECK(gradient_at(0, [](const Tensor& x) { return x.norm(); }) == 0);
  CHECK(gradient_at(1, [](const Tensor& x) { return x.clamp(0.0, 1.0); }) == 1);
  CHECK(gradient_at(2, [](const Tensor& x) { return x.clamp(0.0, 1.0); }) == 0);
  const Tensor tie(1, 3, {5, 5, 1}, {.requires_grad = true});
  tie.max().backward();
  CHECK(tie.grad()->data() == std::vector<float>{1, 0, 0});
}

TEST_CASE("gradients of reductions") {
  for (const Axis axis : {Axis::all, Axis::rows, Axis::cols}) {
    const std::vector<Tensor> x{random(3, 4, 5)};
    check_gradient([axis](const auto& v) { return v[0].sum(axis); }, x);
    check_gradient([axis](const auto& v) { return v[0].mean(axis); }, x);
    check_gradient([axis](const auto& v) { return v[0].norm(axis); }, x);
    check_gradient([axis](const auto& v) { return v[0].max(axis); }, x);
    check_gradient([axis](const auto& v) { return v[0].min(axis); }, x);
  }
  check_gradient([](const auto& v) { return v[0].softmax(); }, {random(3, 4, 6)});
  check_gradient([](const auto& v) { return v[0].log_softmax(); }, {random(3, 4, 7)});
}

TEST_CASE("gradients of matrix products in all orientations") {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      check_gradient(
          [ta, tb](const auto& x) { return ops::matmul(x[0], x[1], ta, tb); },
          {ta ? random(3, 2, 8) : random(2, 3, 8), tb ? random(4, 3, 9) : random(3, 4, 9)});
    }
  }
}

TEST_CASE("gradients of data movement") {
  check_gradient([](const auto& x) { return x[0].transpose(); }, {random(2, 3, 10)});
  check_gradient([](const auto& x) { return x[0].reshape(3, -1); }, {random(2, 3, 10)});
  check_gradient([](const auto& x) { return x[0].clone(); }, {random(2, 3, 10)});
  check_gradient([](const auto& x) { return x[0].slice({.step = -2}, {.start = 1}); },
                 {random(4, 3, 11)});
  check_gradient([](const auto& x) { return Tensor::cat_rows(x); },
                 {random(1, 3, 12), random(2, 3, 13)});
  check_gradient([](const auto& x) { return Tensor::cat_cols(x); },
                 {random(2, 1, 14), random(2, 3, 15)});
}

TEST_CASE("a composed function") {
  check_gradient(
      [](const auto& x) {
        const Tensor hidden = (x[0].matmul(x[1]) + x[2]).tanh();
        return (hidden - x[0].mean(Axis::cols)).pow(2).mean();
      },
      {random(3, 2, 16), random(2, 4, 17), random(1, 4, 18)});
}
