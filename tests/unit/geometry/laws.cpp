#include <doctest/doctest.h>

#include <cmath>

#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/parallel.hpp"

using namespace spiraltorch;

namespace {

constexpr double kKappas[]{0.25, 1.0, 4.0};
constexpr std::int64_t kRows = 101;

// Points within 0.9 of the radius: there a float32 step is far below the tolerances used.
Tensor points(const PoincareBall& ball, std::int64_t cols, std::uint64_t seed,
              std::int64_t rows = kRows) {
  const Tensor direction = Tensor::randn(rows, cols, seed);
  const Tensor radius = Tensor::rand(rows, 1, seed + 1) * (0.9 * ball.radius());
  return direction / direction.norm(Axis::cols) * radius;
}

Tensor tangents(std::int64_t cols, std::uint64_t seed) {
  return Tensor::randn(kRows, cols, seed) * 0.3;
}

double largest(const Tensor& x) { return x.abs().max().item(); }

// Long-double reference of the distance, independent of the kernels.
long double reference_dist(const float* x, const float* y, std::int64_t n, double kappa) {
  long double xx = 0, yy = 0, ss = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const long double a = x[j], b = y[j];
    xx += a * a;
    yy += b * b;
    ss += (a - b) * (a - b);
  }
  const long double k = kappa;
  return 2 / std::sqrt(k) * std::asinh(std::sqrt(k * ss / ((1 - k * xx) * (1 - k * yy))));
}

}  // namespace

TEST_CASE("exp and log are inverse") {
  for (const double kappa : kKappas) {
    for (const std::int64_t cols : {1, 2, 5, 10, 33, 130}) {
      const PoincareBall ball(-kappa);
      const Tensor x = points(ball, cols, 1);
      const Tensor y = points(ball, cols, 5);
      CHECK(largest(ball.expmap(x, ball.logmap(x, y)) - y) <= 2e-6 * ball.radius());
      CHECK(largest(ball.expmap0(ball.logmap0(y)) - y) <= 2e-6 * ball.radius());
      const Tensor v = tangents(cols, 9) * ball.radius();
      CHECK(largest(ball.logmap0(ball.expmap0(v)) - v) <= 2e-5 * ball.radius());
    }
  }
}

TEST_CASE("the distance agrees with a long-double reference up to the rim") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    for (const std::int64_t cols : {1, 3, 10, 70}) {
      const Tensor x =
          ball.project(Tensor::randn(kRows, cols, 11) * ball.radius());  // many at the rim
      const Tensor y = points(ball, cols, 13);
      const auto d = ball.dist(x, y).data();
      for (std::int64_t i = 0; i < kRows; ++i) {
        const auto expected = static_cast<double>(
            reference_dist(x.host().get() + i * cols, y.host().get() + i * cols, cols, kappa));
        // A clamped row sits within 2^-24 of the rim's radius, where d is steep: 1e-5 wide.
        CHECK(d[std::size_t(i)] == doctest::Approx(expected).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("the distance is a metric") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    const Tensor x = points(ball, 4, 21), y = points(ball, 4, 23), z = points(ball, 4, 25);
    CHECK(largest(ball.dist(x, y) - ball.dist(y, x)) <= 1e-6);
    CHECK(largest(ball.dist(x, x)) == 0);
    CHECK(ball.dist(x, y).min().item() > 0);
    CHECK((ball.dist(x, y) + ball.dist(y, z) - ball.dist(x, z)).min().item() >= -1e-5);
  }
}

TEST_CASE("the distance is invariant under padding, translation and scaling") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    const Tensor x = points(ball, 3, 31), y = points(ball, 3, 33), a = points(ball, 3, 35);
    const Tensor d = ball.dist(x, y);
    const std::array px{x, Tensor(kRows, 2)}, py{y, Tensor(kRows, 2)};
    CHECK(largest(ball.dist(Tensor::cat_cols(px), Tensor::cat_cols(py)) - d) <= 1e-6);
    const Tensor moved = ball.dist(ball.mobius_add(a, x), ball.mobius_add(a, y));
    CHECK(largest((moved - d) / (d + 1.0)) <= 3e-5);
    const PoincareBall unit(-1.0);
    const double root = std::sqrt(kappa);
    CHECK(largest(unit.dist(x * root, y * root) / root - d) <= 2e-5 * ball.radius());
  }
}

TEST_CASE("gyrovector laws") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    const Tensor a = points(ball, 5, 41), b = points(ball, 5, 43), v = tangents(5, 45);
    const Tensor small = v * (0.3 * ball.radius());
    CHECK(largest(ball.mobius_add(-a, ball.mobius_add(a, b)) - b) <= 2e-5 * ball.radius());
    CHECK(largest(ball.gyration(a, b, v).norm(Axis::cols) - v.norm(Axis::cols)) <= 1e-5);
    const Tensor turned =
        ball.mobius_add(-ball.mobius_add(a, b), ball.mobius_add(a, ball.mobius_add(b, small)));
    CHECK(largest(ball.gyration(a, b, small) - turned) <= 1e-4 * ball.radius());
    CHECK(largest(ball.mobius_scalar(2.0, a) - ball.mobius_add(a, a)) <= 2e-6 * ball.radius());
    CHECK(largest(ball.mobius_matvec(Tensor::eye(5), a) - a) <= 2e-6 * ball.radius());
  }
}

TEST_CASE("transport preserves Riemannian norms and geodesics have constant speed") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    const Tensor x = points(ball, 4, 51), y = points(ball, 4, 53), v = tangents(4, 55);
    const Tensor moved = ball.parallel_transport(x, y, v);
    const Tensor before = ball.conformal_factor(x) * v.norm(Axis::cols);
    const Tensor after = ball.conformal_factor(y) * moved.norm(Axis::cols);
    CHECK(largest((after - before) / before) <= 1e-5);
    CHECK(largest(ball.geodesic(x, y, 0.0) - x) == 0);
    CHECK(largest(ball.geodesic(x, y, 1.0) - y) <= 1e-6 * ball.radius());
    const Tensor d = ball.dist(x, y);
    CHECK(largest(ball.dist(x, ball.geodesic(x, y, 0.25)) - d * 0.25) <= 2e-5 * ball.radius());
    const Tensor t = Tensor::rand(kRows, 1, 57) * 3.0 - 1.0;  // outside [0, 1]: extrapolation
    const Tensor along = ball.geodesic(x, y, t);
    CHECK(largest(along - ball.expmap(x, ball.logmap(x, y) * t)) <= 2e-5 * ball.radius());
  }
}

TEST_CASE("means: symmetric points, the mean of one, optimality") {
  for (const double kappa : kKappas) {
    const PoincareBall ball(-kappa);
    const Tensor x = points(ball, 3, 61, 9);
    const std::vector<double> w{1, 2, 0.5, 3, 1, 0, 1, 2, 1};
    const Tensor m = ball.frechet_mean(x, w);
    const auto objective = [&](const Tensor& at) {
      const auto d = ball.dist(x, at, true).data();
      double sum = 0;
      for (std::size_t i = 0; i < d.size(); ++i) sum += w[i] * d[i];
      return sum;
    };
    for (int axis = 0; axis < 3; ++axis) {
      for (const double h : {-0.02, 0.02}) {
        const Tensor step = Tensor::from_fn(
            1, 3, [&](auto, auto j) { return j == axis ? h * ball.radius() : 0.0; });
        CHECK(objective(ball.mobius_add(m, step)) > objective(m));
      }
    }
    const Tensor one = x.row(0);
    CHECK(largest(ball.frechet_mean(one) - one) <= 1e-7 * ball.radius());
    CHECK(largest(ball.gyromidpoint(one) - one) <= 1e-6 * ball.radius());
    const std::array pair{x, -x};
    CHECK(largest(ball.gyromidpoint(Tensor::cat_rows(pair))) <= 1e-6 * ball.radius());
    CHECK(largest(ball.frechet_mean(Tensor::cat_rows(pair))) <= 1e-6 * ball.radius());
    // Both means are equivariant: translating the points translates the mean.
    const Tensor a = points(ball, 3, 63, 1);
    CHECK(largest(ball.frechet_mean(ball.mobius_add(a, x), w) - ball.mobius_add(a, m)) <=
          1e-5 * ball.radius());
  }
}

TEST_CASE("projection is idempotent bit for bit and leaves the inside alone") {
  for (const double kappa : {1e-12, 0.25, 1.0, 4.0, 1e12}) {
    const PoincareBall ball(-kappa);
    for (const std::int64_t cols : {1, 2, 10, 333}) {
      const Tensor wild = Tensor::randn(1000, cols, 71) * ball.radius();
      const Tensor once = ball.project(wild);
      CHECK(ball.project(once).data() == once.data());
      const Tensor inside = points(ball, cols, 73);
      CHECK(ball.project(inside).data() == inside.data());
      CHECK(ball.expmap(inside, Tensor(1, cols)).data() == inside.data());
      const double most = once.norm(Axis::cols).max().item() / ball.radius();
      CHECK(most <= 1 - 1e-5 + 1e-6);
    }
  }
}

TEST_CASE("saturated, huge and non-finite rows") {
  const PoincareBall ball(-1.0);
  const Tensor far = ball.expmap0(Tensor(1, 2, {3e38F, 3e38F}));
  CHECK(far.norm().item() == doctest::Approx(1 - 1e-5).epsilon(1e-6));
  CHECK(std::isfinite(ball.dist(far, -far).item()));
  const Tensor bad(3, 2, {NAN, 0, 0.1F, 0.2F, 0, INFINITY});
  const Tensor good(1, 2, {0.3F, 0.1F});
  for (const Tensor& y :
       {ball.project(bad), ball.expmap0(bad), ball.logmap0(bad), ball.mobius_add(bad, good),
        ball.expmap(good, bad), ball.logmap(bad, good), ball.gyration(good, good, bad),
        ball.parallel_transport(bad, good, good), ball.geodesic(good, bad, 0.5), ball.import(bad),
        ball.egrad2rgrad(good, bad), ball.to_lorentz(bad)}) {
    for (std::int64_t j = 0; j < y.cols(); ++j) {
      CHECK(std::isnan(y.at(0, j)));
      CHECK(std::isfinite(y.at(1, j)));
      CHECK(std::isnan(y.at(2, j)));
    }
  }
  CHECK(std::isnan(ball.dist(bad, good).at(0, 0)));
  CHECK(std::isnan(ball.dist_matrix(good, bad).at(0, 2)));
  CHECK(std::isnan(ball.conformal_factor(bad).at(2, 0)));
  CHECK(std::isnan(ball.gyromidpoint(bad).at(0, 0)));
  CHECK(std::isnan(ball.frechet_mean(bad).at(0, 0)));
}

TEST_CASE("a row's result depends neither on its place nor on threads") {
  const PoincareBall ball(-1.0);
  const Tensor x = points(ball, 10, 81, 5000), v = Tensor::randn(5000, 10, 83);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = ball.expmap(x, v).data();
  const auto matrix = ball.dist_matrix(x.slice({.stop = 150}, {})).data();
  set_thread_count(3);
  CHECK(ball.expmap(x, v).data() == one);
  CHECK(ball.dist_matrix(x.slice({.stop = 150}, {})).data() == matrix);
  set_thread_count(threads);
  for (const std::int64_t i : {0, 63, 64, 4999}) {
    const auto alone = ball.expmap(x.row(i), v.row(i)).data();
    CHECK(std::equal(alone.begin(), alone.end(), one.begin() + i * 10));
  }
  const auto d = ball.dist(x.slice({.stop = 150}, {}), x.row(7)).data();
  for (std::size_t i = 0; i < 150; ++i) CHECK(d[i] == matrix[i * 150 + 7]);
}
