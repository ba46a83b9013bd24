#include <doctest/doctest.h>

#include <array>

#include "check_error.hpp"
#include "spiraltorch/tensor/tensor.hpp"

using namespace spiraltorch;

TEST_CASE("in-place arithmetic") {
  Tensor x(2, 2, {1, 2, 3, 4});
  x.add_scaled_inplace(x, 1.0);  // an operand may be the target
  CHECK(x.data() == std::vector<float>{2, 4, 6, 8});
  x.add_row_inplace(Tensor(1, 2, {10, 20}));
  CHECK(x.data() == std::vector<float>{12, 24, 16, 28});
  const std::array bias{-10.0, -20.0};
  x.add_row_inplace(bias);
  CHECK(x.data() == std::vector<float>{2, 4, 6, 8});
  x.copy_(Tensor::ones(2, 2));
  CHECK(x.sum().item() == 4);
  Tensor row(1, 2, {1, 2});
  row.add_row_inplace(row);
  CHECK(row.data() == std::vector<float>{2, 4});
}

TEST_CASE("writing parts") {
  Tensor x(3, 3);
  x.assign({.start = 0, .stop = 2}, {.start = 1}, Tensor(1, 2, {1, 2}));
  CHECK(x.data() == std::vector<float>{0, 1, 2, 0, 1, 2, 0, 0, 0});
  x.assign({.step = -1}, {}, x);  // its own storage: read before it is written
  CHECK(x.data() == std::vector<float>{0, 0, 0, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("a refused change leaves the target as it was") {
  Tensor x(2, 2, {1, 2, 3, 4});
  check_error(Errc::shape_mismatch, [&] { x.add_scaled_inplace(Tensor(1, 2), 1.0); });
  check_error(Errc::shape_mismatch, [&] { x.add_row_inplace(Tensor(1, 3)); });
  check_error(Errc::length_mismatch,
              [&] { x.add_row_inplace(std::span<const double>(std::array{1.0})); });
  check_error(Errc::shape_mismatch, [&] { x.copy_(Tensor(2, 1)); });
  check_error(Errc::shape_mismatch, [&] { x.assign({}, {}, Tensor(3, 1)); });
  check_error(Errc::invalid_shape, [&] { x.assign({.start = 5}, {}, Tensor(1, 1)); });
  CHECK(x.data() == std::vector<float>{1, 2, 3, 4});
}
