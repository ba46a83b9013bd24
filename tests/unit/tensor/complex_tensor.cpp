#include "spiraltorch/tensor/complex_tensor.hpp"

#include <doctest/doctest.h>

#include "check_error.hpp"

using namespace spiraltorch;
using Numbers = std::vector<std::complex<float>>;

namespace {
ComplexTensor make(std::int64_t r, std::int64_t c, const Numbers& z) { return {r, c, z}; }
const Numbers kA{{1, 2}, {3, -1}, {0, 1}, {-2, 0.5F}};
const Numbers kB{{0.5F, -1}, {2, 2}, {1, 0}, {-1, 3}};

void check_close(const Numbers& got, const Numbers& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - expected[i]) <= 1e-6F * (1 + std::abs(expected[i])));
  }
}
}  // namespace

TEST_CASE("complex arithmetic is elementwise") {
  Numbers sum, difference, product, scaled, conjugate;
  for (std::size_t i = 0; i < 4; ++i) {
    sum.push_back(kA[i] + kB[i]);
    difference.push_back(kA[i] - kB[i]);
    product.push_back(kA[i] * kB[i]);
    scaled.push_back(kA[i] * std::complex<float>(2, -3));
    conjugate.push_back(std::conj(kA[i]));
  }
  const auto a = make(2, 2, kA);
  const auto b = make(2, 2, kB);
  check_close(a.add(b).data(), sum);
  check_close(a.sub(b).data(), difference);
  check_close(a.mul(b).data(), product);
  check_close(a.scale({2, -3}).data(), scaled);
  check_close(a.conj().data(), conjugate);
}

TEST_CASE("complex matrix product does not conjugate") {
  Numbers expected(4);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 2; ++k) expected[2 * i + j] += kA[2 * i + k] * kB[2 * k + j];
  check_close(make(2, 2, kA).matmul(make(2, 2, kB)).data(), expected);
  check_error(Errc::shape_mismatch, [] { (void)make(2, 2, kA).matmul(make(1, 4, kB)); });
}

TEST_CASE("a complex row is broadcast") {
  const auto row = make(1, 2, {{0, 1}, {2, 0}});
  check_close(make(2, 2, kA).mul(row).data(), {kA[0] * std::complex<float>(0, 1), kA[1] * 2.0F,
                                               kA[2] * std::complex<float>(0, 1), kA[3] * 2.0F});
  const auto column = make(2, 1, {{1, 1}, {0, 0}});
  check_close(make(2, 2, kA).add(column).data(),
              {kA[0] + std::complex<float>(1, 1), kA[1] + std::complex<float>(1, 1), kA[2], kA[3]});
}

TEST_CASE("parts, moduli, arguments and the interleaved form") {
  const auto a = make(2, 2, kA);
  CHECK(a.real().data() == std::vector<float>{1, 3, 0, -2});
  CHECK(a.imag().data() == std::vector<float>{2, -1, 1, 0.5F});
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      CHECK(a.abs().at(i, j) == doctest::Approx(std::abs(a.at(i, j))).epsilon(1e-6));
      CHECK(a.angle().at(i, j) == doctest::Approx(std::arg(a.at(i, j))).epsilon(1e-6));
    }
  }
  CHECK(a.to_tensor().data() == std::vector<float>{1, 2, 3, -1, 0, 1, -2, 0.5F});
  CHECK(ComplexTensor::from_tensor(a.to_tensor()).data() == kA);
  CHECK(a.tolist()[1][0] == std::complex<double>(0, 1));
}

TEST_CASE("complex indexing") {
  auto a = make(2, 2, kA);
  check_close(a.slice({.start = 1}, {.start = 0, .stop = 1}).data(), {kA[2]});
  a.assign({.start = 0, .stop = 1}, {}, make(1, 1, {{9, 9}}));
  check_close(a.data(), {{9, 9}, {9, 9}, kA[2], kA[3]});
  CHECK(a.at(-1, -1) == std::complex<double>(-2, 0.5));
  check_error(Errc::out_of_range, [&] { (void)a.at(0, 2); });
}

TEST_CASE("complex errors") {
  check_error(Errc::invalid_shape, [] { (void)ComplexTensor(0, 1); });
  check_error(Errc::length_mismatch, [] { (void)make(1, 2, {{1, 1}}); });
  check_error(Errc::shape_mismatch, [] { (void)ComplexTensor::from_tensor(Tensor(1, 3)); });
  check_error(Errc::shape_mismatch, [] { (void)make(2, 2, kA).add(make(1, 4, kB)); });
  check_error(Errc::shape_mismatch,
              [] { (void)ComplexTensor::from_parts(Tensor(1, 2), Tensor(2, 1)); });
}
