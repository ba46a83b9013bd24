#include <cmath>

#include "kernel_test.hpp"

using namespace spiraltorch;
using kernel_test::Matrix;

namespace {

// Long-double formulas of the definitions, independent of the kernels' rearranged sums.
using Row = std::vector<long double>;

Row row_of(const Matrix& m, std::int64_t i) {
  const auto begin = m.values.begin() + i * m.cols;
  return {begin, begin + m.cols};
}

long double dot(const Row& x, const Row& y) {
  long double sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) sum += x[j] * y[j];
  return sum;
}

Row scaled(const Row& x, long double f) {
  Row out(x);
  for (auto& v : out) v *= f;
  return out;
}

Row projected(const Row& x, long double kappa) {
  const long double most = 1 - 1e-5L;
  const long double s = std::sqrt(kappa * dot(x, x));
  return s > most * (1 + 0x1p-20L) ? scaled(x, most / s) : x;
}

Row mobius_add(const Row& x, const Row& y, long double k) {
  const long double xx = dot(x, x), yy = dot(y, y), xy = dot(x, y);
  const long double d = 1 + 2 * k * xy + k * k * xx * yy;
  Row out(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    out[j] = ((1 + 2 * k * xy + k * yy) * x[j] + (1 - k * xx) * y[j]) / d;
  }
  return projected(out, k);
}

Row expmap(const Row& point, const Row& v, long double k) {
  const Row x = projected(point, k);
  const long double length = std::sqrt(k * dot(v, v));
  if (length == 0) return x;
  return mobius_add(x, scaled(v, std::tanh(length / (1 - k * dot(x, x))) / length), k);
}

Row sgd_step(const Row& w, const Row& g, long double k, long double rate) {
  const long double s = std::sqrt(k * dot(w, w));
  const Row x = projected(s >= 1 + 1e-4L ? scaled(w, std::tanh(s) / s) : w, k);
  const long double inverse = (1 - k * dot(x, x)) / 2;
  return expmap(x, scaled(g, -rate * inverse * inverse), k);
}

Row dist(const Row& a, const Row& b, long double k) {
  const Row x = projected(a, k), y = projected(b, k);
  Row d(x);
  for (std::size_t j = 0; j < d.size(); ++j) d[j] -= y[j];
  const long double p = (1 - k * dot(x, x)) * (1 - k * dot(y, y));
  return {2 / std::sqrt(k) * std::asinh(std::sqrt(k * dot(d, d) / p))};
}

// Points inside, near the rim and outside, of any size.
Matrix wild(std::int64_t rows, std::int64_t cols, unsigned seed, double kappa) {
  return kernel_test::random_matrix(
      rows, cols, seed, static_cast<float>(0.9 / std::sqrt(kappa * static_cast<double>(cols))));
}

template <class Reference>
void compare(OpId op, const std::vector<double>& scalars, const std::vector<std::int64_t>& ints,
             bool number, Reference reference) {
  const long double k = scalars[0];
  for (const std::int64_t rows : {1, 3, 64, 131}) {
    for (const std::int64_t cols : {1, 3, 4, 10, 67}) {
      CAPTURE(rows);
      CAPTURE(cols);
      CAPTURE(static_cast<int>(op));
      const Matrix x = wild(rows, cols, 5, scalars[0]), y = wild(rows, cols, 6, scalars[0]);
      const auto bx = kernel_test::to_buffer(x), by = kernel_test::to_buffer(y);
      const std::vector in{operand(*bx, {rows, cols}), operand(*by, {rows, cols})};
      const std::int64_t width = number ? 1 : cols;
      kernel_test::every_level(
          [&] {
            return kernel_test::run_guarded(op, in, {rows, width}, scalars, ints);
          },
          [&](const std::vector<float>& got) {
            for (std::int64_t i = 0; i < rows; ++i) {
              const Row want = reference(row_of(x, i), row_of(y, i));
              const long double size = std::sqrt(dot(want, want));
              for (std::int64_t j = 0; j < width; ++j) {
                const auto at = static_cast<std::size_t>(i * width + j);
                const long double off = std::fabs(got[at] - want[static_cast<std::size_t>(j)]);
                // Clamped points are rounded to double before they are subtracted: 1e-10 of the
                // radius where the exact result is next to nothing.
                CHECK(off <= 0x1p-23L * size + 1e-10L / std::sqrt(k));
              }
            }
          });
    }
  }
}

}  // namespace

TEST_CASE("ball kernels agree with long double and stay inside their result") {
  for (const double kappa : {0.25, 1.0, 4.0}) {
    CAPTURE(kappa);
    const long double k = kappa;
    compare(OpId::ball_dist, {kappa}, {0}, true,
            [k](const Row& x, const Row& y) { return dist(x, y, k); });
    compare(OpId::ball_expmap, {kappa}, {}, false,
            [k](const Row& x, const Row& v) { return expmap(x, v, k); });
    compare(OpId::ball_mobius_add, {kappa}, {}, false, [k](const Row& x, const Row& y) {
      return mobius_add(projected(x, k), projected(y, k), k);
    });
    compare(OpId::ball_sgd_step, {kappa, 0.3}, {}, false,
            [k](const Row& w, const Row& g) { return sgd_step(w, g, k, 0.3); });
  }
}

TEST_CASE("a gradient step without gradient leaves a row inside bit for bit, in place too") {
  const Matrix w = kernel_test::random_matrix(131, 10, 7, 0.1F);
  const Matrix zero{131, 10, std::vector<float>(w.values.size(), 0.0F)};
  const auto g = kernel_test::to_buffer(zero);
  kernel_test::every_level(
      [&] {
        const auto weights = kernel_test::to_buffer(w);
        const KernelOperand out = operand(*weights, {131, 10});
        const std::vector in{out, operand(*g, {131, 10})};
        const std::vector<double> scalars{1.0, 0.5};
        launch(OpId::ball_sgd_step, {.in = in, .out = {&out, 1}, .scalars = scalars, .ints = {}});
        std::vector<float> got(w.values.size());
        download(*weights, 0, got.data(), got.size() * sizeof(float));
        return got;
      },
      [&](const std::vector<float>& got) { CHECK(got == w.values); });
}
