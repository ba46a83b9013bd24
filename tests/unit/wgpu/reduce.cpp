#include <cmath>

#include "conformance.hpp"

using namespace conformance;
using spiraltorch::ElementType;
using spiraltorch::OpId;
using spiraltorch::Shape;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kTiny = 1.2e-38;  // a device may flush subnormal results

const std::vector<Shape> kShapes{{1, 1},    {1, 7},     {5, 3},     {3, 1000},
                                 {1000, 3}, {257, 129}, {4, 65537}, {70000, 2}};

Shape reduced(Shape shape, std::int64_t axis) {
  if (axis < 0) return {1, 1};
  return axis == 0 ? Shape{1, shape.cols} : Shape{shape.rows, 1};
}

In sizes_of(In x) {
  for (std::uint32_t& w : x.words) w &= 0x7FFFFFFFU;
  return x;
}

// Values spread over float's whole range.
In spread(Shape shape, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> exponent(-120.0F, 120.0F);
  In x = normal(shape.rows, shape.cols, seed);
  for (std::uint32_t& w : x.words) {
    w = std::bit_cast<std::uint32_t>(std::bit_cast<float>(w) * std::exp2(exponent(engine)));
  }
  return x;
}

// The contract: |error| ≤ 2^-22 Σ|terms|; repeated runs give the same bits.
void check_sum(const In& x, std::int64_t axis) {
  CAPTURE(x.rows);
  CAPTURE(x.cols);
  CAPTURE(axis);
  const Shape shape = reduced({x.rows, x.cols}, axis);
  const auto expected = as_floats(run(kCpu, OpId::sum, {x}, {{shape}}, {}, {axis})[0]);
  const auto sizes = as_floats(run(kCpu, OpId::sum, {sizes_of(x)}, {{shape}}, {}, {axis})[0]);
  const Words words = run(kWgpu, OpId::sum, {x}, {{shape}}, {}, {axis})[0];
  CHECK(words == run(kWgpu, OpId::sum, {x}, {{shape}}, {}, {axis})[0]);
  const auto got = as_floats(words);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double bound = 0x1p-22 * static_cast<double>(sizes[i]) + kTiny;
    const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    if (error <= bound) continue;
    CAPTURE(i);
    CHECK(error <= bound);
    return;
  }
}

void check_same(OpId op, const In& x, std::int64_t axis, double relative) {
  CAPTURE(std::string(spiraltorch::op_info(op).name));
  CAPTURE(x.rows);
  CAPTURE(x.cols);
  CAPTURE(axis);
  const Shape shape = reduced({x.rows, x.cols}, axis);
  const auto expected = run(kCpu, op, {x}, {{shape}}, {}, {axis})[0];
  const auto got = run(kWgpu, op, {x}, {{shape}}, {}, {axis})[0];
  CHECK(got == run(kWgpu, op, {x}, {{shape}}, {}, {axis})[0]);
  check_close(as_floats(got), as_floats(expected), relative, relative == 0.0 ? 0.0 : kTiny);
}

}  // namespace

TEST_CASE("reductions: shapes and axes") {
  if (!adapter_here()) return;
  for (const Shape shape : kShapes) {
    for (const std::int64_t axis : {-1, 0, 1}) {
      for (const In& x : {normal(shape.rows, shape.cols, 3), spread(shape, 4)}) {
        check_sum(x, axis);
        check_same(OpId::norm, x, axis, 0x1p-23);
        check_same(OpId::max, x, axis, 0.0);
        check_same(OpId::min, x, axis, 0.0);
      }
    }
  }
}

TEST_CASE("reductions: more columns than workgroups need") {
  if (!adapter_here()) return;
  const In x = normal(5, 70000, 11);
  check_sum(x, 0);
  check_same(OpId::max, x, 0, 0.0);
}

TEST_CASE("reductions: cancelling sums") {
  if (!adapter_here()) return;
  In x = normal(2, 40000, 5, 1e6F);
  for (std::size_t i = 0; i < 40000; ++i) x.words[40000 + i] = x.words[i] ^ 0x80000000U;
  x.words[0] = std::bit_cast<std::uint32_t>(0.25F);
  x.words[40000] = std::bit_cast<std::uint32_t>(0.5F);
  for (const std::int64_t axis : {-1, 0, 1}) check_sum(x, axis);
  CHECK(as_floats(run(kWgpu, OpId::sum, {x}, {{{1, 1}}}, {}, {-1})[0])[0] ==
        doctest::Approx(0.75).epsilon(1e-3));
}

TEST_CASE("reductions: special values and extremes of the range") {
  if (!adapter_here()) return;
  const std::vector<std::vector<float>> rows{
      {1.0F, kNan, 2.0F},     {kInf, 1.0F, 2.0F},        {-kInf, 1.0F, kInf},
      {-kInf, -kInf, -kInf},  {kNan, kInf, 0.0F},        {0.0F, -0.0F, 0.0F},
      {3e38F, 3e38F, -3e38F}, {3e38F, 3e38F, 1.0F},      {-3e38F, -3e38F, 0.0F},
      {1e-30F, 2e-30F, 0.0F}, {3e-25F, -4e-25F, 1e-38F}, {1e20F, 1e-20F, -1e20F}};
  for (const auto& values : rows) {
    CAPTURE(values[0]);
    CAPTURE(values[1]);
    CAPTURE(values[2]);
    for (const In& x : {floats(1, 3, values), floats(3, 1, values)}) {
      for (const std::int64_t axis : {-1, 0, 1}) {
        if (values[0] == 1e20F) {  // the CPU's order of addition decides what is left
          check_sum(x, axis);
        } else {
          check_same(OpId::sum, x, axis, 0x1p-22);
        }
        check_same(OpId::norm, x, axis, 0x1p-22);
        check_same(OpId::max, x, axis, 0.0);
        check_same(OpId::min, x, axis, 0.0);
      }
    }
  }
}

TEST_CASE("reductions: signalling and negative not-a-numbers") {
  if (!adapter_here()) return;
  for (const std::uint32_t nan : {0x7F800001U, 0xFFC00000U, 0xFF800001U}) {
    In x = normal(40, 50, 6);
    x.words[777] = nan;
    for (const OpId op : {OpId::sum, OpId::norm, OpId::max, OpId::min}) {
      CHECK(std::isnan(as_floats(run(kWgpu, op, {x}, {{{1, 1}}}, {}, {-1})[0])[0]));
      const auto columns = as_floats(run(kWgpu, op, {x}, {{{1, 50}}}, {}, {0})[0]);
      for (std::size_t j = 0; j < 50; ++j) CHECK(std::isnan(columns[j]) == (j == 27));
      const auto lines = as_floats(run(kWgpu, op, {x}, {{{40, 1}}}, {}, {1})[0]);
      for (std::size_t i = 0; i < 40; ++i) CHECK(std::isnan(lines[i]) == (i == 15));
    }
  }
}

TEST_CASE("squared_norm: double results") {
  if (!adapter_here()) return;
  const auto check = [](const In& x) {
    const Out out{{1, 1}, ElementType::f64};
    const auto expected = as_doubles(run(kCpu, OpId::squared_norm, {x}, {out})[0]);
    const Words words = run(kWgpu, OpId::squared_norm, {x}, {out})[0];
    CHECK(words == run(kWgpu, OpId::squared_norm, {x}, {out})[0]);
    check_close(as_doubles(words), expected, 1e-9, 0.0);
  };
  for (const Shape shape : kShapes) {
    check(normal(shape.rows, shape.cols, 7));
    check(spread(shape, 8));
  }
  check(floats(1, 3, {3e38F, 3e38F, -3e38F}));
  check(floats(1, 3, {1e-30F, 1e-32F, 2e-38F}));
  check(floats(1, 3, {1e-44F, 3e-42F, 0.0F}));
  check(floats(1, 2, {0.0F, 0.0F}));
  check(floats(1, 2, {-0.5F, 0.0F}));
  check(floats(1, 2, {kInf, 1.0F}));
  check(floats(1, 2, {kNan, kInf}));
}

TEST_CASE("weighted_sum") {
  if (!adapter_here()) return;
  for (const Shape shape : {Shape{1, 1}, {5, 3}, {1, 1000}, {1000, 3}, {257, 129}}) {
    for (const double scale : {1.0, 1e-60, 1e40}) {
      const In x = scale == 1e40 ? normal(shape.rows, shape.cols, 9, 1e-20F)
                                 : normal(shape.rows, shape.cols, 9);
      std::mt19937 engine(10);
      std::normal_distribution<double> draw(0.0, scale);
      std::vector<double> weights(static_cast<std::size_t>(shape.rows));
      std::vector<double> sizes(weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i)
        sizes[i] = std::abs(weights[i] = draw(engine));
      const Out out{{1, shape.cols}};
      const auto expected = as_floats(run(kCpu, OpId::weighted_sum, {x}, {out}, weights)[0]);
      const auto bound = as_floats(run(kCpu, OpId::weighted_sum, {sizes_of(x)}, {out}, sizes)[0]);
      const auto got = as_floats(run(kWgpu, OpId::weighted_sum, {x}, {out}, weights)[0]);
      for (std::size_t j = 0; j < got.size(); ++j) {
        const double error =
            std::abs(static_cast<double>(got[j]) - static_cast<double>(expected[j]));
        CHECK(error <= 0x1p-22 * static_cast<double>(bound[j]) + kTiny);
      }
    }
  }
  const In x = floats(2, 3, {1.0F, kInf, 0.0F, 2.0F, 1.0F, kNan});
  for (const std::vector<double>& w : {std::vector<double>{0.0, 1.0},
                                       {0.0, 0.0},
                                       {std::numeric_limits<double>::infinity(), 1.0}}) {
    const auto expected = as_floats(run(kCpu, OpId::weighted_sum, {x}, {{{1, 3}}}, w)[0]);
    check_close(as_floats(run(kWgpu, OpId::weighted_sum, {x}, {{{1, 3}}}, w)[0]), expected, 1e-7,
                0.0);
  }
}
