#include <cmath>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

struct Rows {
  Matrix x, w, b, g;
  explicit Rows(const Shape& s)
      : x(random_matrix(s.rows, s.cols, 1, 2)),
        w(random_matrix(1, s.cols, 2)),
        b(random_matrix(1, s.cols, 3)),
        g(random_matrix(s.rows, s.cols, 4)) {}
};

constexpr double kEps = 1e-3;

// x̂ of each row and 1/√(σ² + ε).
struct Units {
  std::vector<double> unit;
  std::vector<double> inverse;
  explicit Units(const Matrix& x) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      double mean = 0;
      double square = 0;
      for (std::int64_t j = 0; j < x.cols; ++j) mean += x.at(i, j) / double(x.cols);
      for (std::int64_t j = 0; j < x.cols; ++j) {
        square += (x.at(i, j) - mean) * (x.at(i, j) - mean) / double(x.cols);
      }
      inverse.push_back(1 / std::sqrt(square + kEps));
      for (std::int64_t j = 0; j < x.cols; ++j) {
        unit.push_back((x.at(i, j) - mean) * inverse.back());
      }
    }
  }
};

void check(const std::vector<float>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i] == doctest::Approx(want[i]).epsilon(3e-7));
  }
}

// Gradients by x, w and b beside each other.
std::vector<double> gradients(const Rows& r, const Units& u) {
  const auto n = static_cast<std::size_t>(r.x.cols);
  std::vector<double> out;
  std::vector<double> by_w(n);
  std::vector<double> by_b(n);
  for (std::int64_t i = 0; i < r.x.rows; ++i) {
    const double* unit = u.unit.data() + i * r.x.cols;
    double mean = 0;
    double along = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double g = r.g.at(i, std::int64_t(j));
      const double h = g * r.w.at(0, std::int64_t(j));
      mean += h / double(n);
      along += h * unit[j] / double(n);
      by_w[j] += g * unit[j];
      by_b[j] += g;
    }
    for (std::size_t j = 0; j < n; ++j) {
      const double h = double(r.g.at(i, std::int64_t(j))) * r.w.at(0, std::int64_t(j));
      out.push_back((h - mean - unit[j] * along) * u.inverse[std::size_t(i)]);
    }
  }
  out.insert(out.end(), by_w.begin(), by_w.end());
  out.insert(out.end(), by_b.begin(), by_b.end());
  return out;
}

}  // namespace

TEST_CASE("layer norm and its gradients in double") {
  for (const Shape shape :
       {Shape{1, 2}, Shape{5, 3}, Shape{64, 64}, Shape{200, 10}, Shape{3, 77}}) {
    const Rows r(shape);
    const Units u(r.x);
    const auto x = to_buffer(r.x);
    const auto w = to_buffer(r.w);
    const auto b = to_buffer(r.b);
    const auto g = to_buffer(r.g);
    const Shape row{1, shape.cols};
    std::vector<double> want;
    for (std::size_t i = 0; i < u.unit.size(); ++i) {
      const auto j = static_cast<std::int64_t>(i) % shape.cols;
      want.push_back(u.unit[i] * r.w.at(0, j) + r.b.at(0, j));
    }
    const std::vector<KernelOperand> in{operand(*x, shape), operand(*w, row), operand(*b, row)};
    every_level([&] { return run_guarded(OpId::layer_norm, in, shape, {kEps}); },
                [&](const std::vector<float>& got) { check(got, want); });
    every_level(
        [&] {
          std::vector<float> all(static_cast<std::size_t>(shape.size() + 2 * shape.cols));
          const auto at = [&](std::int64_t first, const Shape& s) {
            return Buffer::adopt_host(all.data() + first,
                                      static_cast<std::size_t>(s.size()) * sizeof(float), nullptr);
          };
          const auto by_x = at(0, shape);
          const auto by_w = at(shape.size(), row);
          const auto by_b = at(shape.size() + shape.cols, row);
          const std::vector<KernelOperand> operands{operand(*x, shape), operand(*g, shape),
                                                    operand(*w, row)};
          const std::vector<KernelOperand> out{operand(*by_x, shape), operand(*by_w, row),
                                               operand(*by_b, row)};
          const std::array<std::int64_t, 1> wanted{7};
          const std::array scalars{kEps};
          launch(OpId::layer_norm_grad,
                 {.in = operands, .out = out, .scalars = scalars, .ints = wanted});
          return all;
        },
        [&](const std::vector<float>& got) { check(got, gradients(r, u)); });
  }
}
