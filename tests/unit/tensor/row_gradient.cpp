#include "spiraltorch/tensor/row_gradient.hpp"

#include <doctest/doctest.h>

#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;

namespace {

IndexTensor rows(std::vector<std::int64_t> values, ElementType type = ElementType::i32) {
  return IndexTensor::from_values(1, std::ssize(values), values, type);
}

Tensor table(std::int64_t n) { return Tensor::zeros(n, 2, {.requires_grad = true}); }

// The gradient of a sum of looked-up rows times a number: how often each was read, times it.
void check(const Tensor& gradient, const std::vector<std::pair<std::int64_t, double>>& want) {
  Tensor expected(gradient.rows(), 2);
  for (const auto& [row, value] : want) {
    expected.assign({.start = row, .stop = row + 1}, {}, Tensor::full(1, 2, value));
  }
  CHECK(gradient.allclose(expected, 0.0, 0.0));
}

}  // namespace

TEST_CASE("few rows of a long table stay rows until somebody reads the gradient") {
  Tensor x = table(100);
  ops::index_select(x, rows({9, 3, 9}, ElementType::i64)).sum().backward();
  const auto found = detail::row_gradient(x);
  REQUIRE(found != nullptr);
  CHECK(found->rows.data() == std::vector<std::int64_t>{3, 9});
  CHECK(found->rows.type() == ElementType::i32);
  CHECK(found->values.data() == std::vector<float>{1, 1, 2, 2});
  check(*x.grad(), {{3, 1}, {9, 2}});
  CHECK(detail::row_gradient(x) == nullptr);
  check(*x.grad(), {{3, 1}, {9, 2}});
}

TEST_CASE("passes add up, whatever they leave") {
  Tensor x = table(100);
  ops::index_select(x, rows({9, 3})).sum().backward();
  ops::index_select(x, rows({5, 9})).sum().scale(2.0).backward();
  CHECK(detail::row_gradient(x) != nullptr);
  check(*x.grad(), {{3, 1}, {5, 2}, {9, 3}});
  ops::index_select(x, rows({5})).sum().backward();  // to a dense one
  CHECK(detail::row_gradient(x) == nullptr);
  check(*x.grad(), {{3, 1}, {5, 3}, {9, 3}});
  x.zero_grad();
  CHECK_FALSE(x.grad());
  ops::index_select(x, rows({5})).sum().backward();
  x.sum().backward();  // a dense one to rows
  CHECK(x.grad()->at(5, 0) == 2.0);
  CHECK(x.grad()->at(6, 0) == 1.0);
}

TEST_CASE("two look-ups and a dense use in one pass") {
  Tensor x = table(50);
  const Tensor a = ops::index_select(x, rows({1, 2})).sum();
  const Tensor b = ops::index_select(x, rows({2, 3})).sum();
  (a + b).backward();
  check(*x.grad(), {{1, 1}, {2, 2}, {3, 1}});
  x.zero_grad();
  (ops::index_select(x, rows({1, 2})).sum() + x.slice({.start = 2, .stop = 3}, {}).sum())
      .backward();
  check(*x.grad(), {{1, 1}, {2, 2}});
}

TEST_CASE("many rows, results of operations and replaced gradients are dense") {
  Tensor x = table(8);
  ops::index_select(x, rows({1, 2, 3})).sum().backward();
  CHECK(detail::row_gradient(x) == nullptr);
  check(*x.grad(), {{1, 1}, {2, 1}, {3, 1}});
  Tensor y = table(100);
  ops::index_select(y.scale(3.0), rows({1})).sum().backward();
  CHECK(detail::row_gradient(y) == nullptr);
  check(*y.grad(), {{1, 3}});
  y.zero_grad();
  ops::index_select(y, rows({1})).sum().backward();
  y.set_grad(Tensor::ones(100, 2));
  CHECK(detail::row_gradient(y) == nullptr);
  CHECK(y.grad()->at(7, 1) == 1.0);
}
