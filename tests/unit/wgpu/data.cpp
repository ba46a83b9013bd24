#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;
using spiraltorch::Shape;

namespace {

// Any bits, not-a-numbers and subnormal numbers among them: data must pass unchanged.
In any_bits(std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::mt19937 engine(seed);
  Words words(static_cast<std::size_t>(rows * cols));
  for (std::uint32_t& w : words) w = static_cast<std::uint32_t>(engine());
  return {rows, cols, words, cols};
}

void check(OpId op, const std::vector<In>& in, const Out& out,
           const std::vector<std::int64_t>& ints = {}) {
  CAPTURE(std::string(spiraltorch::op_info(op).name));
  CAPTURE(out.shape.rows);
  CAPTURE(out.shape.cols);
  CHECK(run(kWgpu, op, in, {out}, {}, ints) == run(kCpu, op, in, {out}, {}, ints));
}

const std::vector<Shape> kShapes{{1, 1},    {1, 7},     {5, 3},     {3, 1000},
                                 {1000, 3}, {257, 129}, {4, 65537}, {70000, 2}};

}  // namespace

TEST_CASE("transpose and complex planes: shapes") {
  if (!adapter_here()) return;
  for (const Shape shape : kShapes) {
    const In x = any_bits(shape.rows, shape.cols, 1);
    check(OpId::transpose, {x}, {{shape.cols, shape.rows}});
    check(OpId::complex_join, {x, any_bits(shape.rows, shape.cols, 2)},
          {{shape.rows, 2 * shape.cols}});
    const In z = any_bits(shape.rows, 2 * shape.cols, 3);
    for (const std::int64_t part : {0, 1}) check(OpId::complex_plane, {z}, {shape}, {part});
  }
}

TEST_CASE("slice: steps of both signs") {
  if (!adapter_here()) return;
  const In x = any_bits(257, 129, 4);
  check(OpId::slice, {x}, {{257, 129}}, {0, 1, 0, 1});
  check(OpId::slice, {x}, {{100, 129}}, {30, 1, 0, 1});
  check(OpId::slice, {x}, {{257, 129}}, {256, -1, 128, -1});
  check(OpId::slice, {x}, {{100, 40}}, {250, -2, 120, -3});
  check(OpId::slice, {x}, {{5, 1}}, {0, 64, 7, 1});
  check(OpId::slice, {x}, {{1, 43}}, {256, 1, 2, 3});
  check(OpId::slice, {any_bits(4, 65537, 5)}, {{2, 32769}}, {3, -3, 65536, -2});
}

TEST_CASE("slice_assign: the rest stays") {
  if (!adapter_here()) return;
  const In base = any_bits(257, 129, 6);
  const auto onto = [&](const In& x, std::vector<std::int64_t> ints) {
    check(OpId::slice_assign, {x}, {{257, 129}, {}, base.words}, ints);
  };
  onto(any_bits(100, 40, 7), {250, -2, 100, 120, -3, 40});
  onto(any_bits(3, 129, 7), {7, 1, 3, 0, 1, 129});
  onto(repeated_row(any_bits(1, 40, 8), 100), {0, 2, 100, 5, 1, 40});
  onto(repeated_column(any_bits(100, 1, 9), 40), {256, -1, 100, 128, -2, 40});
  In one = any_bits(1, 1, 10);
  one.rows = 20;
  one.cols = 30;
  one.row_stride = one.col_stride = 0;
  onto(one, {11, 5, 20, 0, 4, 30});
  In turned = any_bits(40, 100, 11);  // read as its transpose
  turned.rows = 100;
  turned.cols = 40;
  turned.row_stride = 1;
  turned.col_stride = 100;
  onto(turned, {0, 1, 100, 0, 1, 40});
}

TEST_CASE("philox_uniform: the bits of the CPU") {
  if (!adapter_here()) return;
  for (const std::int64_t seed :
       {std::int64_t{0}, std::int64_t{-3}, std::int64_t{0x123456789abcdef0}}) {
    for (const std::int64_t first :
         {std::int64_t{0}, std::int64_t{0xFFFFFFFE}, std::int64_t{1} << 40}) {
      for (const Shape shape : {Shape{1, 1}, {1, 7}, {257, 129}, {4, 65537}}) {
        check(OpId::philox_uniform, {}, {shape}, {seed, first});
      }
    }
  }
}
