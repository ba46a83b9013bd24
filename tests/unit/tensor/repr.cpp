#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "spiraltorch/tensor/complex_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

using namespace spiraltorch;

TEST_CASE("repr prints shortest decimals") {
  CHECK(Tensor(2, 2, {0.1F, 0.2F, 0.3F, 0.4F}).repr() == "Tensor([[0.1, 0.2], [0.3, 0.4]])");
  CHECK(Tensor(1, 3, {1, NAN, -INFINITY}).repr() == "Tensor([[1, nan, -inf]])");
  CHECK(Tensor(1, 1, {.requires_grad = true}).repr() == "Tensor([[0]], requires_grad=True)");
}

TEST_CASE("repr shows the ends of long axes") {
  const Tensor wide = Tensor::from_fn(1, 9, [](auto, auto j) { return double(j); });
  CHECK(wide.repr() == "Tensor([[0, 1, 2, ..., 6, 7, 8]], shape=(1, 9))");
  const Tensor tall = Tensor::from_fn(9, 1, [](auto i, auto) { return double(i); });
  CHECK(tall.repr() == "Tensor([[0], [1], [2], ..., [6], [7], [8]], shape=(9, 1))");
}

TEST_CASE("repr of complex numbers") {
  const std::vector<std::complex<float>> z{{1, -2}, {0, 0.5F}};
  CHECK(ComplexTensor(1, 2, z).repr() == "ComplexTensor([[(1-2j), (0+0.5j)]])");
}
