#include "spiraltorch/ops/matrix.hpp"

#include <doctest/doctest.h>

#include <array>

#include "check_error.hpp"

using namespace spiraltorch;

namespace {
const Tensor kX = Tensor::from_fn(4, 5, [](auto i, auto j) { return double(10 * i + j); });
}

TEST_CASE("matrix products, plain and transposed") {
  const Tensor a(2, 3, {1, 2, 3, 4, 5, 6});
  const Tensor b(3, 2, {1, 0, -1, 2, 0.5F, 1});
  const std::vector<float> ab{0.5F, 7, 2, 16};
  CHECK(a.matmul(b).data() == ab);
  CHECK(ops::matmul(a.transpose(), b, true, false).data() == ab);
  CHECK(ops::matmul(a, b.transpose(), false, true).data() == ab);
  CHECK(ops::matmul(a.transpose(), b.transpose(), true, true).data() == ab);
  check_error(Errc::shape_mismatch, [&] { (void)a.matmul(a); });
  check_error(Errc::shape_mismatch, [&] { (void)ops::matmul(a, b, true, false); });
}

TEST_CASE("slices follow Python's rules") {
  CHECK(kX.slice({.start = 1, .stop = 3}, {.start = 0, .stop = 1}).data() ==
        std::vector<float>{10, 20});
  CHECK(kX.slice({.step = -3}, {.start = -2}).data() == std::vector<float>{33, 34, 3, 4});
  CHECK(kX.slice({.start = -100, .stop = 100, .step = 2}, {.stop = 1}).data() ==
        std::vector<float>{0, 20});
  CHECK(kX.slice({.start = 0, .stop = 1}, {.start = 4, .stop = 0, .step = -2}).data() ==
        std::vector<float>{4, 2});
  CHECK(kX.row(-1).data() == std::vector<float>{30, 31, 32, 33, 34});
  check_error(Errc::invalid_shape, [] { (void)kX.slice({.start = 2, .stop = 2}, {}); });
  check_error(Errc::invalid_shape, [] { (void)kX.slice({}, {.start = 7}); });
  check_error(Errc::invalid_value, [] { (void)kX.slice({.step = 0}, {}); });
  check_error(Errc::out_of_range, [] { (void)kX.row(4); });
}

TEST_CASE("reshape keeps the order and infers one side") {
  CHECK(kX.reshape(2, -1).shape() == Shape{2, 10});
  CHECK(kX.reshape(-1, 1).data() == kX.data());
  check_error(Errc::shape_mismatch, [] { (void)kX.reshape(3, -1); });
  check_error(Errc::shape_mismatch, [] { (void)kX.reshape(-1, -1); });
  check_error(Errc::shape_mismatch, [] { (void)kX.reshape(2, 9); });
  check_error(Errc::invalid_shape, [] { (void)kX.reshape(0, 5); });
}

TEST_CASE("concatenation") {
  const std::array rows{Tensor(1, 2, {1, 2}), Tensor(2, 2, {3, 4, 5, 6})};
  CHECK(Tensor::cat_rows(rows).data() == std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::array cols{Tensor(2, 1, {1, 2}), Tensor(2, 2, {3, 4, 5, 6})};
  CHECK(Tensor::cat_cols(cols).data() == std::vector<float>{1, 3, 4, 2, 5, 6});
  check_error(Errc::empty_input, [] { (void)Tensor::cat_rows({}); });
  check_error(Errc::shape_mismatch, [&] { (void)Tensor::cat_rows(cols); });
  check_error(Errc::shape_mismatch, [&] { (void)Tensor::cat_cols(rows); });
}

TEST_CASE("transpose, copies and devices") {
  CHECK(kX.transpose().at(4, 3) == 34);
  CHECK(kX.to({}).is_same(kX));
  CHECK(!kX.clone().is_same(kX));
}
