#include <cmath>
#include <functional>
#include <limits>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// |got − expected| in units of the last place of a float32 of that size.
double ulps(float got, double expected) {
  if (std::isnan(expected)) return std::isnan(got) ? 0 : 1e9;
  if (std::isinf(static_cast<float>(expected))) {
    return got == static_cast<float>(expected) ? 0 : 1e9;
  }
  const double scale = std::max(std::abs(expected), 1.2e-38);
  return std::abs(got - expected) / (std::exp2(std::floor(std::log2(scale))) * 0x1p-23);
}

using Oracle = std::function<double(double, double)>;

void check_binary(OpId op, const Oracle& oracle, double tolerance = 1.0,
                  const std::vector<double>& scalars = {}) {
  struct Form {
    std::int64_t a_rows, a_cols, b_rows, b_cols;
  };
  for (const Shape shape : {Shape{1, 1}, {1, 7}, {3, 5}, {37, 129}, {257, 1}, {300, 301}}) {
    for (const Form form : {Form{shape.rows, shape.cols, shape.rows, shape.cols},
                            {shape.rows, shape.cols, 1, shape.cols},
                            {shape.rows, 1, shape.rows, shape.cols},
                            {1, 1, shape.rows, shape.cols},
                            {shape.rows, shape.cols, 1, 1}}) {
      const Matrix a = random_matrix(form.a_rows, form.a_cols, 1);
      const Matrix b = random_matrix(form.b_rows, form.b_cols, 2);
      const auto ba = to_buffer(a);
      const auto bb = to_buffer(b);
      const auto spread = [&](const std::shared_ptr<Buffer>& buffer, const Matrix& m) {
        KernelOperand x = operand(*buffer, shape);
        x.row_stride = m.rows == 1 && shape.rows != 1 ? 0 : m.cols;
        x.col_stride = m.cols == 1 && shape.cols != 1 ? 0 : 1;
        return x;
      };
      every_level(
          [&] {
            return run_guarded(op, {spread(ba, a), spread(bb, b)}, shape, scalars);
          },
          [&](const std::vector<float>& got) {
            for (std::int64_t i = 0; i < shape.rows; ++i) {
              for (std::int64_t j = 0; j < shape.cols; ++j) {
                const double x = a.at(a.rows == 1 ? 0 : i, a.cols == 1 ? 0 : j);
                const double y = b.at(b.rows == 1 ? 0 : i, b.cols == 1 ? 0 : j);
                const float v = got[static_cast<std::size_t>(i * shape.cols + j)];
                REQUIRE(ulps(v, oracle(x, y)) <= tolerance);
              }
            }
          });
    }
  }
}

void check_unary(OpId op, const std::function<double(double)>& oracle, double tolerance,
                 float scale = 3, const std::vector<double>& scalars = {}) {
  for (const std::int64_t n : {1, 5, 64, 1000, 100003}) {
    Matrix x = random_matrix(1, n, 3, scale);
    const std::array<float, 8> special{0.0F, -0.0F, kInf, -kInf, kNan, 1e-40F, 88.0F, -87.0F};
    for (std::size_t i = 0; i < special.size() && n > 900; ++i) x.values[i * 11] = special[i];
    const auto buffer = to_buffer(x);
    every_level(
        [&] {
          return run_guarded(op, {operand(*buffer, {1, n})}, {1, n}, scalars);
        },
        [&](const std::vector<float>& got) {
          for (std::int64_t i = 0; i < n; ++i) {
            const float in = x.at(0, i);
            CAPTURE(in);
            CAPTURE(got[static_cast<std::size_t>(i)]);
            REQUIRE(ulps(got[static_cast<std::size_t>(i)], oracle(in)) <= tolerance);
          }
        });
  }
}

}  // namespace

TEST_CASE("arithmetic with every kind of broadcasting") {
  check_binary(OpId::add, [](double a, double b) { return a + b; });
  check_binary(OpId::sub, [](double a, double b) { return a - b; });
  check_binary(OpId::mul, [](double a, double b) { return a * b; });
  check_binary(OpId::div, [](double a, double b) { return a / b; });
  check_binary(OpId::hypot, [](double a, double b) { return std::hypot(a, b); });
  check_binary(OpId::atan2, [](double a, double b) { return std::atan2(a, b); });
}

TEST_CASE("gradient kernels") {
  const auto sign = [](double x) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : 0.0); };
  check_binary(OpId::abs_grad, [&](double x, double g) { return g * sign(x); });
  check_binary(OpId::relu_grad, [](double x, double g) { return x > 0 ? g : 0.0; });
  check_binary(OpId::clamp_grad,
               [](double x, double g) { return x >= -0.5 && x <= 0.75 ? g : 0.0; }, 0.0,
               {-0.5, 0.75});
}

TEST_CASE("functions, edge cases included") {
  check_unary(
      OpId::neg, [](double x) { return -x; }, 0);
  check_unary(
      OpId::abs, [](double x) { return std::abs(x); }, 0);
  check_unary(
      OpId::sqrt, [](double x) { return std::sqrt(x); }, 1);
  check_unary(
      OpId::exp, [](double x) { return std::exp(x); }, 3);
  check_unary(
      OpId::exp, [](double x) { return std::exp(x); }, 3, 40);
  check_unary(
      OpId::log, [](double x) { return std::log(x); }, 3, 100);
  check_unary(
      OpId::tanh, [](double x) { return std::tanh(x); }, 4);
  check_unary(
      OpId::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 4);
  check_unary(
      OpId::relu, [](double x) { return std::isnan(x) ? x : std::max(x, 0.0); }, 0);
  check_unary(OpId::pow_scalar, [](double x) { return x * x; }, 1, 3, {2.0});
  check_unary(OpId::pow_scalar, [](double x) { return std::pow(x, -1.5); }, 1, 3, {-1.5});
  check_unary(OpId::clamp,
              [](double x) { return std::isnan(x) ? x : std::min(std::max(x, -1.0), 2.0); }, 0, 3,
              {-1.0, 2.0});
}

TEST_CASE("gelu and its derivatives within 2e-7, by erfc and by tanh") {
  Matrix x = random_matrix(1, 5001, 3, 4);
  for (const auto& [i, v] :
       {std::pair{0, 0.0F}, {1, -100.0F}, {2, 100.0F}, {3, -1e20F}, {4, kNan}}) {
    x.values[static_cast<std::size_t>(i)] = v;
  }
  const Matrix one{1, 5001, std::vector<float>(5001, 1.0F)};
  const auto bx = to_buffer(x);
  const auto b1 = to_buffer(one);
  const auto cdf = [](double v) { return std::erfc(-v / std::sqrt(2.0)) / 2; };
  const double k = std::sqrt(2 / std::acos(-1.0));
  const auto tanh_of = [&](double v) { return std::tanh(k * (v + 0.044715 * v * v * v)); };
  const std::vector<std::pair<OpId, std::function<double(double)>>> functions{
      {OpId::gelu, [&](double v) { return v * cdf(v); }},
      {OpId::gelu_tanh, [&](double v) { return v / 2 * (1 + tanh_of(v)); }},
      {OpId::gelu_grad, [&](double v) { return cdf(v) + v * std::exp(-v * v / 2) * k / 2; }},
      {OpId::gelu_tanh_grad, [&](double v) {
         const double t = tanh_of(v);
         const double rise = k * (1 + 3 * 0.044715 * v * v);
         return (1 + t) / 2 + (t * t == 1 ? 0 : v / 2 * (1 - t * t) * rise);
       }}};
  for (const auto& [op, oracle] : functions) {
    CAPTURE(std::string(op_info(op).name));
    std::vector<KernelOperand> in{operand(*bx, {1, 5001})};
    if (op_info(op).inputs == 2) in.push_back(operand(*b1, {1, 5001}));
    every_level(
        [&] {
          return run_guarded(op, in, {1, 5001});
        },
        [&](const std::vector<float>& got) {
          for (std::size_t i = 0; i < got.size(); ++i) {
            CAPTURE(x.values[i]);
            const double want = oracle(double(x.values[i]));
            if (std::isnan(want)) {
              REQUIRE(std::isnan(got[i]));
              continue;
            }
            const double bound = 3e-7 * std::max(1.0, std::abs(double(x.values[i])));
            REQUIRE(std::abs(double(got[i]) - want) <= bound);
          }
        });
  }
}

TEST_CASE("a result may be one of the operands") {
  const Matrix x = random_matrix(1, 5000, 4);
  const auto buffer = to_buffer(x);
  const KernelOperand self = operand(*buffer, {1, 5000});
  const std::array in{self, self};
  launch(OpId::add, {.in = in, .out = {&self, 1}, .scalars = {}, .ints = {}});
  const auto* got = static_cast<const float*>(buffer->native());
  for (std::size_t i = 0; i < 5000; ++i) REQUIRE(got[i] == 2 * x.values[i]);
}

TEST_CASE("large results take the streaming path and agree") {
  const std::int64_t n = (std::int64_t{1} << 21) + 77;
  const Matrix a = random_matrix(1, n, 5);
  const auto buffer = to_buffer(a);
  const auto out = Buffer::allocate({}, static_cast<std::size_t>(n) * sizeof(float));
  const std::array in{operand(*buffer, {1, n}), operand(*buffer, {1, n})};
  const KernelOperand result = operand(*out, {1, n});
  launch(OpId::mul, {.in = in, .out = {&result, 1}, .scalars = {}, .ints = {}});
  const auto* got = static_cast<const float*>(out->native());
  for (std::int64_t i = 0; i < n; ++i) {
    REQUIRE(got[i] == a.values[std::size_t(i)] * a.values[std::size_t(i)]);
  }
}
