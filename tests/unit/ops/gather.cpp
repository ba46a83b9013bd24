#include "spiraltorch/ops/gather.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "check_error.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/tensor/detail.hpp"

using namespace spiraltorch;

namespace {

using Numbers = std::vector<std::int64_t>;
using Function = std::function<Tensor(const std::vector<Tensor>&)>;

IndexTensor indices(const Numbers& rows, ElementType type = ElementType::i32) {
  return IndexTensor::from_values(1, std::ssize(rows), rows, type);
}

// Σ of squares, with weights that make every element count differently.
Tensor loss(const Tensor& y) {
  const Tensor w =
      Tensor::from_fn(y.rows(), y.cols(), [](auto i, auto j) { return 0.5 + double(2 * i + j); });
  return (y * y * w).sum();
}

// Central differences: exact for squares but for float32's rounding.
void check_gradient(const Function& f, std::vector<Tensor> inputs) {
  constexpr double kStep = 1.0 / 16;
  for (Tensor& x : inputs) x.requires_grad_();
  loss(f(inputs)).backward();
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    REQUIRE(inputs[k].grad());
    const auto gradient = inputs[k].grad()->data();
    for (std::int64_t i = 0; i < inputs[k].size(); ++i) {
      const auto shifted = [&](double h) {
        auto values = inputs[k].data();
        values[std::size_t(i)] += static_cast<float>(h);
        auto moved = inputs;
        moved[k] = Tensor(inputs[k].rows(), inputs[k].cols(), std::span<const float>(values));
        return loss(f(moved)).item();
      };
      const double expected = (shifted(kStep) - shifted(-kStep)) / (2 * kStep);
      CAPTURE(k);
      CAPTURE(i);
      CHECK(gradient[std::size_t(i)] == doctest::Approx(expected).epsilon(1e-3).scale(1));
    }
  }
}

}  // namespace

TEST_CASE("index_select takes rows by number") {
  const Tensor x(3, 2, {1, 2, 3, 4, 5, 6});
  CHECK(ops::index_select(x, indices({2, 0, 2})).tolist() ==
        std::vector<std::vector<double>>{{5, 6}, {1, 2}, {5, 6}});
  const IndexTensor column = IndexTensor::from_values(2, 1, {1, 1}, ElementType::i64);
  CHECK(ops::index_select(x, column).data() == std::vector<float>{3, 4, 3, 4});
}

TEST_CASE("index_add adds rows, leaving its operands alone") {
  const Tensor x(3, 2, {1, 2, 3, 4, 5, 6});
  const Tensor source(3, 2, {10, 20, 30, 40, 50, 60});
  CHECK(ops::index_add(x, indices({2, 0, 2}), source).data() ==
        std::vector<float>{31, 42, 3, 4, 65, 86});
  CHECK(x.data() == std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor big(2, 1, {1e8F, -1e8F});  // added in double: 1 is not lost between them
  CHECK(ops::index_add(Tensor(1, 1, {1}), indices({0, 0}), big).item() == 1);
}

TEST_CASE("gradients of index_select and index_add") {
  const IndexTensor rows = indices({2, 0, 2, 2, 3});
  check_gradient([&](const auto& x) { return ops::index_select(x[0], rows); },
                 {Tensor::randn(5, 3, 1)});
  check_gradient([&](const auto& x) { return ops::index_add(x[0], rows, x[1]); },
                 {Tensor::randn(4, 3, 2), Tensor::randn(5, 3, 3)});
  const Tensor x = Tensor::randn(4, 2, 4);
  Tensor source = Tensor::randn(1, 2, 5);
  source.requires_grad_();
  ops::index_add(x, indices({1}), source).sum().backward();  // x is not tracked
  CHECK(source.grad()->data() == std::vector<float>{1, 1});
  CHECK(!x.grad());
}

TEST_CASE("indices outside the rows are named") {
  const Tensor x = Tensor::zeros(3, 2);
  const Tensor source = Tensor::ones(2, 2);
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{3}, kFar}) {
    const IndexTensor rows = indices({1, bad}, ElementType::i64);
    check_error(Errc::out_of_range, [&] { (void)ops::index_select(x, rows); });
    check_error(Errc::out_of_range, [&] { (void)ops::index_add(x, rows, source); });
  }
  std::string what;
  try {
    (void)ops::index_select(x, indices({0, 2, 7, -4}));
  } catch (const Error& e) {
    what = e.what();
  }
  CHECK(what == "[index_select] rows, position 2: got 7, expected one in [0, 3)");
}

TEST_CASE("indices in host memory are read at each use") {
  Tensor x = Tensor::zeros(3, 2);
  x.requires_grad_();
  const IndexTensor rows = indices({0, 1});
  const Tensor y = ops::index_select(x, rows).sum();
  const std::int32_t bad = 3;
  upload(*rows.buffer(), 4, &bad, sizeof bad);  // as an exchange partner might
  CHECK(rows.bounds() == std::pair<std::int64_t, std::int64_t>{0, 3});
  check_error(Errc::out_of_range, [&] { (void)ops::index_select(x, rows); });
  check_error(Errc::out_of_range, [&] { y.backward(); });
}

TEST_CASE("shapes of indices and sources") {
  const Tensor x = Tensor::ones(3, 2);
  const IndexTensor none = IndexTensor::empty(1, 0, ElementType::i32);
  CHECK(none.bounds() == std::pair<std::int64_t, std::int64_t>{0, -1});
  check_error(Errc::invalid_shape, [&] { (void)ops::index_select(x, none); });
  const Tensor empty = detail::empty_result({0, 2}, {});
  const Tensor copy = ops::index_add(x, none, empty);
  CHECK(copy.data() == x.data());
  CHECK(!copy.is_same(x));
  const IndexTensor square = IndexTensor::from_values(2, 2, {0, 1, 2, 0});
  check_error(Errc::shape_mismatch, [&] { (void)ops::index_select(x, square); });
  check_error(Errc::shape_mismatch, [&] { (void)ops::index_add(x, square, x); });
  for (const Shape shape : {Shape{2, 2}, {3, 1}, {1, 3}}) {
    const Tensor source = Tensor::zeros(shape.rows, shape.cols);
    check_error(Errc::shape_mismatch, [&] { (void)ops::index_add(x, indices({0, 1, 2}), source); });
  }
}
