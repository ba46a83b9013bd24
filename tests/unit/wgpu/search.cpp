#include <cmath>

#include "conformance.hpp"

using namespace conformance;
using spiraltorch::ElementType;
using spiraltorch::OpId;
using spiraltorch::Shape;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Few different values, so that extrema repeat.
In ties(Shape shape, unsigned seed, bool nans) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> draw(-6, 6);
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (float& v : values) v = static_cast<float>(draw(engine));
  if (nans) {
    for (std::size_t i = 11; i < values.size(); i += 53) values[i] = kNan;
  }
  return floats(shape.rows, shape.cols, values);
}

}  // namespace

TEST_CASE("extremum_grad: the first of equal elements") {
  if (!adapter_here()) return;
  for (const Shape shape :
       {Shape{1, 1}, {1, 7}, {5, 3}, {3, 1000}, {1000, 3}, {257, 129}, {70000, 2}}) {
    for (const bool nans : {false, true}) {
      const In x = ties(shape, 1, nans);
      for (const std::int64_t axis : {-1, 0, 1}) {
        CAPTURE(shape.rows);
        CAPTURE(shape.cols);
        CAPTURE(axis);
        const Shape small =
            axis < 0 ? Shape{1, 1} : (axis == 0 ? Shape{1, shape.cols} : Shape{shape.rows, 1});
        const Words y = run(kCpu, OpId::max, {x}, {{small}}, {}, {axis})[0];
        const std::vector<In> in{
            x, {small.rows, small.cols, y, small.cols}, normal(small.rows, small.cols, 2)};
        const auto expected = run(kCpu, OpId::extremum_grad, in, {{shape}}, {}, {axis});
        CHECK(run(kWgpu, OpId::extremum_grad, in, {{shape}}, {}, {axis}) == expected);
      }
    }
  }
  const In zeros = floats(1, 3, {-0.0F, 0.0F, 1e-44F});
  const std::vector<In> in{zeros, floats(1, 1, {0.0F}), floats(1, 1, {5.0F})};
  CHECK(run(kWgpu, OpId::extremum_grad, in, {{{1, 3}}}, {}, {1}) ==
        run(kCpu, OpId::extremum_grad, in, {{{1, 3}}}, {}, {1}));
}

TEST_CASE("all_close: special values") {
  if (!adapter_here()) return;
  const std::vector<float> special{0.0F, -0.0F, 1.0F,   -1.0F,  kInf,   -kInf,
                                   kNan, 3e38F, -3e38F, 1e-44F, -1e-44F};
  const double wide = std::numeric_limits<double>::infinity();
  const std::vector<std::vector<double>> tolerances{
      {0.0, 0.0}, {1e-5, 1e-8}, {2.0, 0.0}, {0.0, 1e-44}, {0.0, 5e38}, {wide, 1.0}, {1.0, wide}};
  const Out out{{1, 1}, ElementType::i32};
  for (const auto& tolerance : tolerances) {
    for (const float a : special) {
      for (const float b : special) {
        const std::vector<In> in{floats(1, 1, {a}), floats(1, 1, {b})};
        CAPTURE(a);
        CAPTURE(b);
        CAPTURE(tolerance[0]);
        CAPTURE(tolerance[1]);
        CHECK(run(kWgpu, OpId::all_close, in, {out}, tolerance, {1}) ==
              run(kCpu, OpId::all_close, in, {out}, tolerance, {1}));
      }
    }
  }
  const std::vector<In> nans{floats(1, 2, {kNan, 1.0F}), floats(1, 2, {kNan, 1.0F})};
  CHECK(run(kWgpu, OpId::all_close, nans, {out}, {0.0, 0.0}, {0})[0][0] == 0);
  CHECK(run(kWgpu, OpId::all_close, nans, {out}, {0.0, 0.0}, {1})[0][0] == 1);
}

TEST_CASE("all_close: near the limit, at every size") {
  if (!adapter_here()) return;
  std::mt19937 engine(3);
  std::uniform_real_distribution<double> draw(-1.0, 1.0);
  const Out out{{1, 1}, ElementType::i32};
  for (int i = 0; i < 200; ++i) {
    const auto b = static_cast<float>(draw(engine) * std::pow(10.0, 38.0 * draw(engine)));
    const double rtol = std::pow(10.0, 3.0 * draw(engine) - 4.0);
    const double atol = i % 2 == 0 ? 0.0 : std::pow(10.0, 38.0 * draw(engine));
    const double limit = atol + rtol * std::abs(static_cast<double>(b));
    const double off = 1.0 + draw(engine) * std::pow(10.0, -5.0 + 4.0 * draw(engine));
    const auto a = static_cast<float>(static_cast<double>(b) + limit * off);
    const std::vector<In> in{floats(1, 1, {a}), floats(1, 1, {b})};
    CAPTURE(a);
    CAPTURE(b);
    CAPTURE(rtol);
    CAPTURE(atol);
    CHECK(run(kWgpu, OpId::all_close, in, {out}, {rtol, atol}, {0}) ==
          run(kCpu, OpId::all_close, in, {out}, {rtol, atol}, {0}));
  }
}

TEST_CASE("all_close: one different element anywhere") {
  if (!adapter_here()) return;
  const Out out{{1, 1}, ElementType::i32};
  for (const std::int64_t n : {1, 5, 1023, 70001}) {
    const In a = normal(1, n, 4);
    CHECK(run(kWgpu, OpId::all_close, {a, a}, {out}, {0.0, 0.0}, {0})[0][0] == 1);
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      In b = a;
      b.words[static_cast<std::size_t>(at)] += 1;
      CHECK(run(kWgpu, OpId::all_close, {a, b}, {out}, {0.0, 0.0}, {0})[0][0] == 0);
    }
  }
}

TEST_CASE("first_non_finite: the first of several") {
  if (!adapter_here()) return;
  const Out out{{1, 1}, ElementType::i64};
  for (const std::int64_t n : {1, 2, 3, 6, 1025, 70003}) {
    for (const std::int64_t nan_only : {0, 1}) {
      const In x = normal(1, n, 5);
      CHECK(as_u64(run(kWgpu, OpId::first_non_finite, {x}, {out}, {}, {nan_only})[0])[0] ==
            ~std::uint64_t{0});
      for (const std::int64_t at : {std::int64_t{0}, n / 3, n / 2, n - 1}) {
        for (const std::uint32_t value : {0x7F800000U, 0xFF800000U, 0x7F800001U, 0xFFC00000U}) {
          In y = x;
          y.words[static_cast<std::size_t>(at)] = value;
          y.words.back() = 0x7FC00000U;
          CHECK(run(kWgpu, OpId::first_non_finite, {y}, {out}, {}, {nan_only}) ==
                run(kCpu, OpId::first_non_finite, {y}, {out}, {}, {nan_only}));
        }
      }
    }
  }
}
