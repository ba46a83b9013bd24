#include <cmath>

#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;
using spiraltorch::Shape;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const std::vector<Shape> kShapes{{1, 1},     {1, 7},     {5, 3},    {3, 1000},
                                 {1000, 3},  {257, 129}, {5, 4096}, {2, 5001},
                                 {2, 16384}, {4, 65537}, {70000, 2}};

// Results to `relative` of their own size and `absolute`, the same bits again.
Words check(OpId op, const std::vector<In>& in, double relative, double absolute) {
  CAPTURE(std::string(spiraltorch::op_info(op).name));
  CAPTURE(in[0].rows);
  CAPTURE(in[0].cols);
  const Out out{{in[0].rows, in[0].cols}};
  const Words expected = run(kCpu, op, in, {out})[0];
  const Words got = run(kWgpu, op, in, {out})[0];
  CHECK(got == run(kWgpu, op, in, {out})[0]);
  check_close(as_floats(got), as_floats(expected), relative, absolute);
  return expected;
}

void check_all(const In& x, const In& g) {
  In y = x;
  y.words = check(OpId::softmax, {x}, 5e-7, 1.2e-38);
  check(OpId::softmax_grad, {y, g}, 1e-6, 5e-7);
  y.words = check(OpId::log_softmax, {x}, 3e-7, 1e-14);
  check(OpId::log_softmax_grad, {y, g}, 1e-6, 3e-7 * std::sqrt(static_cast<double>(x.cols)));
}

}  // namespace

TEST_CASE("softmax: shapes") {
  if (!adapter_here()) return;
  each_variant([] {
    for (const Shape shape : kShapes) {
      check_all(normal(shape.rows, shape.cols, 1, 4.0F), normal(shape.rows, shape.cols, 2));
    }
  });
}

TEST_CASE("softmax: special values") {
  if (!adapter_here()) return;
  const std::vector<std::vector<float>> starts{
      {1.0F, kNan, 2.0F},      {kInf, 1.0F, 2.0F},     {-kInf, 1.0F, 2.0F},
      {-kInf, -kInf, -kInf},   {-kInf, kInf, 3.0F},    {3e38F, -3e38F, 0.0F},
      {100.0F, 0.0F, -100.0F}, {-1e30F, -2e30F, 3e4F}, {1e-40F, 0.0F, -1e-40F}};
  each_variant([&] {
    for (const std::int64_t cols : {3, 4, 200, 9000, 40000}) {
      for (const auto& start : starts) {
        CAPTURE(cols);
        CAPTURE(start[0]);
        CAPTURE(start[1]);
        CAPTURE(start[2]);
        In x = normal(2, cols, 3);
        for (std::size_t i = 0; i < 3; ++i) {
          x.words[i] = std::bit_cast<std::uint32_t>(start[i]);
          x.words[x.words.size() - 1 - i] = x.words[i];
        }
        check(OpId::softmax, {x}, 5e-7, 1.2e-38);
        check(OpId::log_softmax, {x}, 3e-7, 1e-14);
      }
    }
  });
}

TEST_CASE("softmax gradients: values that are not finite spread over their row") {
  if (!adapter_here()) return;
  for (const std::int64_t cols : {4, 7, 300, 9000}) {
    for (const float value : {kInf, -kInf, kNan}) {
      const In y = normal(3, cols, 4);
      In g = normal(3, cols, 5);
      g.words[static_cast<std::size_t>(cols) + 2] = std::bit_cast<std::uint32_t>(value);
      for (const OpId op : {OpId::softmax_grad, OpId::log_softmax_grad}) {
        const Out out{{3, cols}};
        const auto expected = as_floats(run(kCpu, op, {y, g}, {out})[0]);
        const auto got = as_floats(run(kWgpu, op, {y, g}, {out})[0]);
        for (std::size_t i = 0; i < got.size(); ++i) {
          if (std::isfinite(expected[i])) {
            CHECK(std::isfinite(got[i]));
          } else {
            CHECK(distance(static_cast<double>(got[i]), static_cast<double>(expected[i]), 1.0,
                           1.0) == 0.0);
          }
        }
      }
    }
  }
}

TEST_CASE("softmax: rows sum to one") {
  if (!adapter_here()) return;
  const In x = normal(7, 3000, 6, 10.0F);
  const auto got = as_floats(run(kWgpu, OpId::softmax, {x}, {{{7, 3000}}})[0]);
  for (std::size_t i = 0; i < 7; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 3000; ++j) sum += static_cast<double>(got[i * 3000 + j]);
    CHECK(sum == doctest::Approx(1.0).epsilon(1e-6));
  }
}
