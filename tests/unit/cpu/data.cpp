#include "kernel_test.hpp"
#include "spiraltorch/base/philox.hpp"

using namespace spiraltorch;
using namespace kernel_test;

TEST_CASE("transpose of odd shapes") {
  for (const Shape shape : {Shape{1, 1}, {1, 40}, {33, 65}, {700, 3}}) {
    const Matrix x = random_matrix(shape.rows, shape.cols, 13);
    const auto buffer = to_buffer(x);
    const auto got =
        run_guarded(OpId::transpose, {operand(*buffer, shape)}, {shape.cols, shape.rows});
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      for (std::int64_t j = 0; j < shape.cols; ++j) {
        REQUIRE(got[static_cast<std::size_t>(j * shape.rows + i)] == x.at(i, j));
      }
    }
  }
}

TEST_CASE("slices and writes with negative steps leave the rest alone") {
  const Matrix x = random_matrix(6, 8, 14);
  const auto buffer = to_buffer(x);
  const auto part = run_guarded(OpId::slice, {operand(*buffer, {6, 8})}, {2, 3}, {}, {5, -3, 1, 2});
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      CHECK(part[static_cast<std::size_t>(i * 3 + j)] == x.at(5 - 3 * i, 1 + 2 * j));
    }
  }
  const Matrix row = random_matrix(1, 3, 15);
  const auto row_buffer = to_buffer(row);
  KernelOperand repeated = operand(*row_buffer, {2, 3});
  repeated.row_stride = 0;
  const auto got =
      run_guarded(OpId::slice_assign, {repeated}, {6, 8}, {}, {5, -3, 2, 1, 2, 3}, x.values);
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t j = 0; j < 8; ++j) {
      const bool written = (i == 5 || i == 2) && j % 2 == 1 && j < 6;
      CHECK(got[static_cast<std::size_t>(i * 8 + j)] ==
            (written ? row.at(0, (j - 1) / 2) : x.at(i, j)));
    }
  }
}

TEST_CASE("uniform numbers are the generator's words, one an element") {
  for (const std::int64_t n : {1, 4, 7, 100001}) {
    const auto got = run_guarded(OpId::philox_uniform, {}, {1, n}, {}, {-5, 3});
    for (std::int64_t i = 0; i < n; ++i) {
      const auto block =
          philox_block(static_cast<std::uint64_t>(-5), 3 + static_cast<std::uint64_t>(i / 4));
      REQUIRE(got[std::size_t(i)] == uniform_from_word(block[static_cast<std::size_t>(i % 4)]));
    }
  }
}

TEST_CASE("complex planes and their join are inverse") {
  const Matrix x = random_matrix(3, 10, 16);
  const auto buffer = to_buffer(x);
  Matrix re{3, 5, run_guarded(OpId::complex_plane, {operand(*buffer, {3, 10})}, {3, 5}, {}, {0})};
  Matrix im{3, 5, run_guarded(OpId::complex_plane, {operand(*buffer, {3, 10})}, {3, 5}, {}, {1})};
  CHECK(re.at(1, 2) == x.at(1, 4));
  CHECK(im.at(1, 2) == x.at(1, 5));
  const auto br = to_buffer(re);
  const auto bi = to_buffer(im);
  CHECK(run_guarded(OpId::complex_join, {operand(*br, {3, 5}), operand(*bi, {3, 5})}, {3, 10}) ==
        x.values);
}
