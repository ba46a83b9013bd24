#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A device may flush subnormal numbers: 2^-126 is as good as 0.
constexpr double kTiny = 1.2e-38;

struct Case {
  OpId op;
  std::size_t operands;
  std::vector<double> scalars{};
  double relative = 3e-7;  // about 2.5 ulp, WGSL's own word on division and square roots
};

const std::vector<Case> kCases{
    {OpId::add, 2, {}, 0.0},
    {OpId::sub, 2, {}, 0.0},
    {OpId::mul, 2, {}, 0.0},
    {OpId::div, 2},
    {OpId::hypot, 2},
    {OpId::atan2, 2},
    {OpId::add_scaled, 2, {0.3}, 2e-7},
    {OpId::neg, 1, {}, 0.0},
    {OpId::abs, 1, {}, 0.0},
    {OpId::exp, 1},
    {OpId::log, 1},
    {OpId::tanh, 1},
    {OpId::sigmoid, 1, {}, 5e-7},
    {OpId::relu, 1, {}, 0.0},
    {OpId::sqrt, 1},
    {OpId::pow_scalar, 1, {2.0}},
    {OpId::pow_scalar, 1, {3.0}},
    {OpId::pow_scalar, 1, {-1.5}},
    {OpId::pow_scalar, 1, {17.0}, 6e-7},
    {OpId::pow_scalar, 1, {-61.5}, 2e-6},  // of the float32 exponent's and the product's rounding
    {OpId::pow_scalar, 1, {0.0}, 0.0},
    {OpId::clamp, 1, {-0.5, 0.75}, 0.0},
    {OpId::abs_grad, 2, {}, 0.0},
    {OpId::relu_grad, 2, {}, 0.0},
    {OpId::tanh_grad, 2, {}, 4e-7},
    {OpId::sigmoid_grad, 2, {}, 4e-7},
    {OpId::clamp_grad, 2, {-0.5, 0.75}, 0.0},
    {OpId::gelu, 1, {}, 1e-6},
    {OpId::gelu_tanh, 1, {}, 1e-6},
    {OpId::gelu_grad, 2, {}, 1e-5},
    {OpId::gelu_tanh_grad, 2, {}, 1e-5},
    {OpId::pow_scalar_grad, 2, {3.0}, 6e-7},
    {OpId::pow_scalar_grad, 2, {0.5}, 6e-7},
};

void check(const Case& c, std::vector<In> in, spiraltorch::Shape shape) {
  CAPTURE(std::string(spiraltorch::op_info(c.op).name));
  CAPTURE(shape.rows);
  CAPTURE(shape.cols);
  in.resize(c.operands);
  const auto expected = run(kCpu, c.op, in, {{shape}}, c.scalars);
  const auto got = run(kWgpu, c.op, in, {{shape}}, c.scalars);
  // Sums with a difference (1 - y²) may lose relative accuracy where they nearly cancel.
  const double absolute = c.relative == 0.0 ? kTiny : 2e-7;
  check_close(as_floats(got[0]), as_floats(expected[0]), c.relative, absolute);
}

}  // namespace

TEST_CASE("elementwise: random operands") {
  if (!adapter_here()) return;
  for (const spiraltorch::Shape shape :
       {spiraltorch::Shape{1, 1}, {1, 5}, {3, 7}, {5, 1}, {257, 33}}) {
    const In a = normal(shape.rows, shape.cols, 1, 2.0F);
    const In b = normal(shape.rows, shape.cols, 2, 1.0F, 0.5F);
    for (const Case& c : kCases) check(c, {a, b}, shape);
  }
}

TEST_CASE("elementwise: special values") {
  if (!adapter_here()) return;
  const std::vector<float> special{0.0F,  -0.0F, 1.0F,   -1.0F,  kInf,   -kInf,  kNan,    0.5F,
                                   -0.5F, 88.0F, -87.0F, 3e38F,  -3e38F, 2e-38F, -2e-38F, 100.0F,
                                   0.75F, 2.0F,  -3.0F,  1e-30F, 12.5F,  -100.0F};
  const auto n = static_cast<std::int64_t>(special.size());
  std::vector<float> a;
  std::vector<float> b;
  for (const float x : special) {
    for (const float y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  for (const Case& c : kCases) check(c, {floats(n, n, a), floats(n, n, b)}, {n, n});
}

TEST_CASE("elementwise: the signs of zeros") {
  if (!adapter_here()) return;
  const In x = floats(1, 4, {0.0F, -0.0F, 0.0F, -0.0F});
  const In y = floats(1, 4, {0.0F, 0.0F, -0.0F, -0.0F});
  for (const OpId op : {OpId::add, OpId::mul, OpId::neg, OpId::tanh, OpId::sqrt, OpId::atan2}) {
    CAPTURE(std::string(spiraltorch::op_info(op).name));
    std::vector<In> in{x, y};
    in.resize(spiraltorch::op_info(op).inputs);
    const auto expected = as_floats(run(kCpu, op, in, {{{1, 4}}})[0]);
    const auto got = as_floats(run(kWgpu, op, in, {{{1, 4}}})[0]);
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::signbit(got[i]) == std::signbit(expected[i]));
  }
}

TEST_CASE("elementwise: repeated rows, columns and numbers") {
  if (!adapter_here()) return;
  constexpr spiraltorch::Shape kShape{37, 65};
  const In full = normal(37, 65, 3);
  const In row = repeated_row(normal(1, 65, 4, 1.0F, 2.0F), 37);
  const In column = repeated_column(normal(37, 1, 5, 1.0F, 2.0F), 65);
  In number = normal(1, 1, 6);
  number = repeated_row(number, 37);
  number.cols = 65;
  number.col_stride = 0;
  const Case add{OpId::add, 2, {}, 0.0};
  const Case div{OpId::div, 2};
  for (const In& other : {full, row, column, number}) {
    check(add, {full, other}, kShape);
    check(add, {other, full}, kShape);
    check(div, {full, other}, kShape);
  }
  check(add, {number, number}, kShape);
  check(add, {row, column}, kShape);
}

TEST_CASE("elementwise: norm_grad") {
  if (!adapter_here()) return;
  const In x = normal(9, 11, 8);
  In y = normal(9, 1, 9, 1.0F, 3.0F);
  y.words[4] = 0;
  const In g = normal(9, 1, 10);
  const std::vector<In> in{x, repeated_column(y, 11), repeated_column(g, 11)};
  const auto expected = run(kCpu, OpId::norm_grad, in, {{{9, 11}}});
  check_close(as_floats(run(kWgpu, OpId::norm_grad, in, {{{9, 11}}})[0]), as_floats(expected[0]),
              5e-7, kTiny);
}

TEST_CASE("elementwise: in place, and beyond one binding") {
  if (!adapter_here()) return;
  using namespace spiraltorch;
  const In a = normal(33, 5, 11);
  const In b = normal(33, 5, 12);
  const auto expected = run(kCpu, OpId::add, {a, b}, {{{33, 5}}});
  const auto x = put(kWgpu, a.words);
  const auto y = put(kWgpu, b.words);
  const KernelOperand ox = operand(*x, {33, 5});
  const std::vector<KernelOperand> in{ox, operand(*y, {33, 5})};
  launch(OpId::add, {.in = in, .out = {&ox, 1}, .scalars = {}, .ints = {}});
  CHECK(get(*x) == expected[0]);
}

TEST_CASE("fill: any number") {
  if (!adapter_here()) return;
  for (const float value : {0.0F, -1.5F, kInf, kNan}) {
    const auto got = run(kWgpu, OpId::fill, {}, {{{3, 700}}}, {static_cast<double>(value)});
    check_close(as_floats(got[0]), std::vector<float>(2100, value), 0.0, 0.0);
  }
}
