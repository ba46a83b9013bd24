#include "spiraltorch/ops/reduce.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "check_error.hpp"

using namespace spiraltorch;

TEST_CASE("reductions over each axis") {
  const Tensor x(2, 3, {1, -2, 3, 4, 5, -6});
  CHECK(x.sum().item() == 5);
  CHECK(x.sum(Axis::rows).data() == std::vector<float>{5, 3, -3});
  CHECK(x.sum(Axis::cols).data() == std::vector<float>{2, 3});
  CHECK(x.mean(Axis::cols).data() == std::vector<float>{2.0F / 3.0F, 1});
  CHECK(x.max().item() == 5);
  CHECK(x.min(Axis::rows).data() == std::vector<float>{1, -2, -6});
  CHECK(x.max(Axis::cols).data() == std::vector<float>{3, 5});
  CHECK(x.norm().item() == doctest::Approx(std::sqrt(91.0)).epsilon(1e-7));
  CHECK(x.norm(Axis::cols).at(0, 0) == doctest::Approx(std::sqrt(14.0)).epsilon(1e-7));
  CHECK(x.sum_axis0() == std::vector<float>{5, 3, -3});
  CHECK(x.squared_l2_norm() == 91.0);
}

TEST_CASE("sums are accumulated in double") {
  Tensor x = Tensor::full(1000, 1000, 0.1);
  CHECK(x.sum().item() == static_cast<double>(static_cast<float>(1e6 * double(0.1F))));
  x.assign({.start = 0, .stop = 1}, {.start = 0, .stop = 1}, Tensor(1, 1, {1e8F}));
  CHECK(x.squared_l2_norm() ==
        doctest::Approx(1e16 + 999999 * double(0.1F) * double(0.1F)).epsilon(1e-13));
}

TEST_CASE("a NaN propagates through extrema") {
  const Tensor x(2, 2, {1, NAN, 3, 4});
  CHECK(std::isnan(x.max().item()));
  CHECK(std::isnan(x.min(Axis::cols).at(0, 0)));
  CHECK(x.max(Axis::cols).at(1, 0) == 4);
}

TEST_CASE("softmax of each row") {
  const Tensor x(2, 3, {1, 2, 3, 1000, 1000, -1000});
  const double z = std::exp(-2.0) + std::exp(-1.0) + 1;
  CHECK(x.softmax().at(0, 0) == doctest::Approx(std::exp(-2.0) / z).epsilon(1e-6));
  CHECK(x.softmax().at(1, 0) == 0.5);
  CHECK(x.softmax().at(1, 2) == 0.0);
  CHECK(x.log_softmax().at(0, 1) == doctest::Approx(-1 - std::log(z)).epsilon(1e-6));
  CHECK(x.log_softmax().at(1, 2) == doctest::Approx(-2000 - std::log(2.0)).epsilon(1e-6));
}

TEST_CASE("weighted sums") {
  const Tensor x(2, 2, {1, 2, 3, 4});
  const std::array weights{0.25, 0.5};
  CHECK(ops::weighted_sum(x, weights).data() == std::vector<float>{1.75F, 2.5F});
  check_error(Errc::length_mismatch,
              [&] { (void)ops::weighted_sum(x, std::span(weights).first(1)); });
}

TEST_CASE("allclose and the first bad element") {
  const Tensor a(1, 3, {1, INFINITY, NAN});
  CHECK(!a.allclose(a));
  CHECK(a.allclose(a, 1e-5, 1e-8, true));
  CHECK(Tensor(1, 2, {1, 2}).allclose(Tensor(1, 2, {1.00001F, 2}), 1e-4));
  CHECK(!Tensor(1, 2, {1, 2}).allclose(Tensor(1, 2, {1.1F, 2}), 1e-4));
  CHECK(!Tensor(1, 1, {INFINITY}).allclose(Tensor(1, 1, {-INFINITY})));
  check_error(Errc::shape_mismatch, [&] { (void)a.allclose(Tensor(3, 1)); });
  CHECK(ops::first_non_finite(a) == 1);
  CHECK(ops::first_non_finite(a, true) == 2);
  CHECK(ops::first_non_finite(Tensor(3, 3)) == -1);
}
