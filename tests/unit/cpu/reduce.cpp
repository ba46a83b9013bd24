#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

constexpr std::array kShapes{Shape{1, 1},     Shape{1, 9},      Shape{7, 3},    Shape{5000, 3},
                             Shape{3, 70001}, Shape{1, 200000}, Shape{40, 600}, Shape{257, 31}};

std::vector<std::vector<double>> groups(const Matrix& x, std::int64_t axis) {
  std::vector<std::vector<double>> out(
      static_cast<std::size_t>(axis < 0 ? 1 : (axis == 0 ? x.cols : x.rows)));
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      out[static_cast<std::size_t>(axis < 0 ? 0 : (axis == 0 ? j : i))].push_back(x.at(i, j));
    }
  }
  return out;
}

template <class F>
void check_reduce(OpId op, F oracle, double tolerance) {
  for (const Shape shape : kShapes) {
    for (const std::int64_t axis : {-1, 0, 1}) {
      const Matrix x = random_matrix(shape.rows, shape.cols, 6);
      const auto buffer = to_buffer(x);
      const auto g = groups(x, axis);
      const auto count = static_cast<std::int64_t>(g.size());
      const Shape result = axis == 1 ? Shape{count, 1} : Shape{1, count};
      every_level([&] { return run_guarded(op, {operand(*buffer, shape)}, result, {}, {axis}); },
                  [&](const std::vector<float>& got) {
                    for (std::size_t i = 0; i < g.size(); ++i) {
                      double terms = 0;
                      for (const double v : g[i]) terms += std::abs(v);
                      REQUIRE(std::abs(got[i] - oracle(g[i])) <= tolerance * (1e-30 + terms));
                    }
                  });
    }
  }
}

}  // namespace

TEST_CASE("sums, norms and extrema over each axis") {
  const auto sum = [](const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += x;
    return static_cast<double>(s);
  };
  const auto norm = [](const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += static_cast<long double>(x) * x;
    return static_cast<double>(std::sqrt(s));
  };
  check_reduce(OpId::sum, sum, 0x1p-24);
  check_reduce(OpId::norm, norm, 0x1p-23);
  check_reduce(
      OpId::max, [](const auto& v) { return *std::max_element(v.begin(), v.end()); }, 0);
  check_reduce(
      OpId::min, [](const auto& v) { return *std::min_element(v.begin(), v.end()); }, 0);
}

TEST_CASE("a NaN anywhere reaches the extremum") {
  for (const std::int64_t at : {0, 1, 17, 40000, 69999}) {
    Matrix x = random_matrix(1, 70000, 7);
    x.values[static_cast<std::size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
    const auto buffer = to_buffer(x);
    for (const OpId op : {OpId::max, OpId::min}) {
      every_level(
          [&] {
            return run_guarded(op, {operand(*buffer, {1, 70000})}, {1, 1}, {}, {-1});
          },
          [](const std::vector<float>& got) { CHECK(std::isnan(got[0])); });
      every_level(
          [&] {
            return run_guarded(op, {operand(*buffer, {70000, 1})}, {1, 1}, {}, {0});
          },
          [](const std::vector<float>& got) { CHECK(std::isnan(got[0])); });
    }
  }
}

TEST_CASE("softmax and its logarithm") {
  for (const Shape shape : {Shape{1, 1}, {3, 5}, {9, 1031}, {2, 20000}}) {
    const Matrix x = random_matrix(shape.rows, shape.cols, 8, 4);
    const auto buffer = to_buffer(x);
    for (const bool logarithm : {false, true}) {
      every_level(
          [&] {
            return run_guarded(logarithm ? OpId::log_softmax : OpId::softmax,
                               {operand(*buffer, shape)}, shape);
          },
          [&](const std::vector<float>& got) {
            for (std::int64_t i = 0; i < shape.rows; ++i) {
              long double z = 0;
              for (std::int64_t j = 0; j < shape.cols; ++j) z += std::exp((long double)x.at(i, j));
              for (std::int64_t j = 0; j < shape.cols; ++j) {
                const auto expected = static_cast<double>(
                    logarithm ? x.at(i, j) - std::log(z) : std::exp((long double)x.at(i, j)) / z);
                const double v = got[static_cast<std::size_t>(i * shape.cols + j)];
                // x − max is rounded to float32 before the exponential: 2⁻²⁰ at |x − max| < 32.
                REQUIRE(std::abs(v - expected) <= 3e-6 * std::abs(expected));
              }
            }
          });
    }
  }
}

TEST_CASE("weighted sums round once") {
  const Matrix x = random_matrix(3, 1000, 9);
  const auto buffer = to_buffer(x);
  every_level(
      [&] {
        return run_guarded(OpId::weighted_sum, {operand(*buffer, {3, 1000})}, {1, 1000},
                           {0.1, 0.7, -0.2});
      },
      [&](const std::vector<float>& got) {
        for (std::int64_t j = 0; j < 1000; ++j) {
          const double expected = 0.1 * x.at(0, j) + 0.7 * x.at(1, j) - 0.2 * x.at(2, j);
          REQUIRE(std::abs(got[std::size_t(j)] - expected) <= 0x1p-24 * std::abs(expected) + 1e-16);
        }
      });
}

TEST_CASE("a NaN weight reaches every column") {
  const Matrix x{1, 6, {3, 3, 3, 3, 3, 3}};
  const auto buffer = to_buffer(x);
  every_level(
      [&] {
        return run_guarded(OpId::weighted_sum, {operand(*buffer, {1, 6})}, {1, 6},
                           {std::numeric_limits<double>::quiet_NaN()});
      },
      [](const std::vector<float>& got) {
        for (const float v : got) CHECK(std::isnan(v));
      });
}
