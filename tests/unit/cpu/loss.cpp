#include <cmath>
#include <limits>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

constexpr std::array kShapes{Shape{1, 2}, Shape{5, 3}, Shape{64, 10}, Shape{3, 37}, Shape{300, 70}};

struct Oracle {
  double value = 0.0;
  std::vector<double> gradient;
};

// Value first, then the gradient; the value alone must have the same bits.
std::vector<float> run_loss(OpId op, const Matrix& p, const Matrix& t,
                            const std::vector<double>& scalars = {},
                            const std::vector<std::int64_t>& ints = {}) {
  const auto bp = to_buffer(p);
  const auto bt = to_buffer(t);
  const std::vector<KernelOperand> in{operand(*bp, {p.rows, p.cols}),
                                      operand(*bt, {t.rows, t.cols})};
  const auto alone = run_guarded(op, in, {1, 1}, scalars, ints);
  std::vector<float> result(1 + p.values.size());
  const auto value = Buffer::adopt_host(result.data(), sizeof(float), nullptr);
  const auto gradient =
      Buffer::adopt_host(result.data() + 1, p.values.size() * sizeof(float), nullptr);
  const std::vector<KernelOperand> out{operand(*value, {1, 1}),
                                       operand(*gradient, {p.rows, p.cols})};
  launch(op, {.in = in, .out = out, .scalars = scalars, .ints = ints});
  CHECK((std::isnan(alone[0]) ? std::isnan(result[0]) : alone[0] == result[0]));
  return result;
}

void check_loss(OpId op, const Matrix& p, const Matrix& t, const Oracle& want,
                const std::vector<double>& scalars = {},
                const std::vector<std::int64_t>& ints = {}) {
  CAPTURE(std::string(op_info(op).name));
  CAPTURE(p.rows);
  CAPTURE(p.cols);
  every_level([&] { return run_loss(op, p, t, scalars, ints); },
              [&](const std::vector<float>& got) {
                CHECK(got[0] == doctest::Approx(want.value).epsilon(1e-7));
                for (std::size_t i = 0; i < want.gradient.size(); ++i) {
                  REQUIRE(got[i + 1] == doctest::Approx(want.gradient[i]).epsilon(2e-7));
                }
              });
}

Matrix probabilities(const Shape& shape) {
  Matrix t = random_matrix(shape.rows, shape.cols, 3);
  for (std::int64_t i = 0; i < t.rows; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < t.cols; ++j) sum += std::exp(double(t.at(i, j)));
    for (std::int64_t j = 0; j < t.cols; ++j) {
      float& v = t.values[std::size_t(i * t.cols + j)];
      v = static_cast<float>(std::exp(double(v)) / sum);
    }
  }
  return t;
}

Oracle entropy_oracle(const Matrix& p, const Matrix& t) {
  Oracle want;
  for (std::int64_t i = 0; i < p.rows; ++i) {
    double sum = 0;
    double mass = 0;
    const auto goal = [&](std::int64_t j) {
      return t.cols > 1 ? double(t.at(i, j)) : double(t.at(i, 0) == float(j));
    };
    for (std::int64_t j = 0; j < p.cols; ++j) {
      sum += std::exp(double(p.at(i, j)));
      mass += goal(j);
    }
    for (std::int64_t j = 0; j < p.cols; ++j) {
      want.value -= goal(j) * (p.at(i, j) - std::log(sum)) / double(p.rows);
      want.gradient.push_back((std::exp(double(p.at(i, j))) / sum * mass - goal(j)) /
                              double(p.rows));
    }
  }
  return want;
}

}  // namespace

TEST_CASE("squared error: value and gradient in double") {
  for (const Shape& shape : kShapes) {
    const Matrix p = random_matrix(shape.rows, shape.cols, 1);
    const Matrix t = random_matrix(shape.rows, shape.cols, 2);
    Oracle want;
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      const double d = double(p.values[i]) - double(t.values[i]);
      want.value += d * d / double(shape.size());
      want.gradient.push_back(2 * d / double(shape.size()));
    }
    check_loss(OpId::squared_error, p, t, want);
  }
}

TEST_CASE("cross-entropy of classes and of probabilities") {
  for (const Shape& shape : kShapes) {
    const Matrix p = random_matrix(shape.rows, shape.cols, 1, 3.0F);
    Matrix classes{shape.rows, 1, {}};
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      classes.values.push_back(static_cast<float>(i * 7 % shape.cols));
    }
    const Matrix rows = probabilities(shape);
    check_loss(OpId::cross_entropy, p, classes, entropy_oracle(p, classes));
    check_loss(OpId::cross_entropy, p, rows, entropy_oracle(p, rows));
  }
}

TEST_CASE("logistic loss: softplus(z) − τz of clipped labels") {
  for (const Shape& shape : kShapes) {
    const Matrix p = random_matrix(shape.rows, shape.cols, 1, 8.0F);
    const Matrix t = random_matrix(shape.rows, shape.cols, 2);
    const double n = double(shape.size());
    Oracle want;
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      const double z = -0.5 * double(p.values[i]) + 0.75;
      const double tau = std::min(std::max(double(t.values[i]), 0.01), 0.99);
      want.value += (std::log1p(std::exp(z)) - tau * z) / n;
      want.gradient.push_back(-0.5 * (1 / (1 + std::exp(-z)) - tau) / n);
    }
    check_loss(OpId::logistic_loss, p, t, want, {-0.5, 0.75, 0.01, 0.99}, {0});
  }
}

TEST_CASE("losses are NaN where a target does not fit, large numbers are finite") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Matrix p{2, 3, {1, 2, 3, 4, 5, 6}};
  for (const float k : {-1.0F, 3.0F, 0.5F, nan}) {
    const auto got = run_loss(OpId::cross_entropy, p, {2, 1, {0, k}});
    CHECK(std::isnan(got[0]));
    CHECK_FALSE(std::isnan(got[1]));
    CHECK(std::isnan(got[4]));
  }
  CHECK(std::isnan(run_loss(OpId::cross_entropy, p, {2, 3, {1, 0, 0, 1, -1, 1}})[0]));
  CHECK(std::isnan(run_loss(OpId::cross_entropy, p, {2, 3, {1, 0, 0, .5F, 0, 0}})[0]));
  const auto far = run_loss(OpId::cross_entropy, {1, 2, {3e38F, -3e38F}}, {1, 1, {0}});
  CHECK(far == std::vector<float>{0, 0, 0});
  const std::vector<double> plain{1, 0, 0, 1};
  CHECK(std::isnan(run_loss(OpId::logistic_loss, {1, 1, {-1}}, {1, 1, {0}}, plain, {1})[0]));
  CHECK(std::isnan(run_loss(OpId::logistic_loss, {1, 1, {1}}, {1, 1, {2}}, plain, {1})[0]));
  CHECK(run_loss(OpId::logistic_loss, {1, 1, {1e30F}}, {1, 1, {1}}, plain, {0})[0] == 0.0F);
}
