#include "spiraltorch/geometry/lorentz.hpp"

#include <cmath>
#include <functional>

#include "check_error.hpp"
#include "golden.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

constexpr double kKappas[]{0.25, 1.0, 4.0};
constexpr std::int64_t kRows = 53;

// Points at distances of about √3/√κ from the origin, their times those of the rounded space.
Tensor points(const Lorentz& h, std::int64_t space, std::uint64_t seed, std::int64_t rows = kRows) {
  const double size = h.radius() * std::sqrt(3.0 / static_cast<double>(space));
  return h.project(h.expmap0(h.lift(Tensor::randn(rows, space, seed) * size)));
}

// Tangent vectors at x of size about 1/√κ.
Tensor tangents(const Lorentz& h, const Tensor& x, std::uint64_t seed) {
  const Tensor origin = h.expmap0(Tensor(1, x.cols()));
  const Tensor v = h.lift(Tensor::randn(x.rows(), x.cols() - 1, seed) * h.radius());
  return h.parallel_transport(origin, x, v);
}

double largest(const Tensor& x) { return x.abs().max().item(); }

// ⟨v, v⟩ by row, in double.
std::vector<double> squares(const Tensor& v) {
  const auto data = v.data();
  std::vector<double> out;
  for (std::int64_t i = 0; i < v.rows(); ++i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < v.cols(); ++j) {
      const double x = data[static_cast<std::size_t>(i * v.cols() + j)];
      sum += j == 0 ? -x * x : x * x;
    }
    out.push_back(sum);
  }
  return out;
}

using Function = std::function<Tensor(const Lorentz&, const Json&)>;
const std::vector<std::pair<std::string, Function>>& functions() {
  using golden::tensor;
  static const std::vector<std::pair<std::string, Function>> list{
      {"project", [](auto& h, auto& in) { return h.project(tensor(in.at("x"))); }},
      {"expmap",
       [](auto& h, auto& in) { return h.expmap(tensor(in.at("x")), tensor(in.at("v"))); }},
      {"expmap0", [](auto& h, auto& in) { return h.expmap0(tensor(in.at("v"))); }},
      {"logmap",
       [](auto& h, auto& in) { return h.logmap(tensor(in.at("x")), tensor(in.at("y"))); }},
      {"logmap0", [](auto& h, auto& in) { return h.logmap0(tensor(in.at("y"))); }},
      {"dist", [](auto& h, auto& in) { return h.dist(tensor(in.at("x")), tensor(in.at("y"))); }},
      {"parallel_transport",
       [](auto& h, auto& in) {
         return h.parallel_transport(tensor(in.at("x")), tensor(in.at("y")), tensor(in.at("v")));
       }},
      {"egrad2rgrad",
       [](auto& h, auto& in) { return h.egrad2rgrad(tensor(in.at("x")), tensor(in.at("g"))); }},
      {"to_poincare", [](auto& h, auto& in) { return h.to_poincare(tensor(in.at("x"))); }},
      {"from_poincare", [](auto& h, auto& in) { return h.from_poincare(tensor(in.at("y"))); }},
  };
  return list;
}

}  // namespace

TEST_CASE("golden vectors of the hyperboloid") {
  for (const auto& [name, function] : functions()) {
    golden::each_case("Lorentz." + name, [&](const Json& in, const Json& one) {
      CAPTURE(name);
      const Lorentz h(golden::number(in.at("curvature")));
      golden::compare(golden::widen(function(h, in).data()), one.at("expected"), one);
    });
  }
}

TEST_CASE("hyperboloid: exp and log are inverse, geodesics have constant speed") {
  for (const double kappa : kKappas) {
    for (const std::int64_t space : {1, 2, 5, 33}) {
      CAPTURE(kappa);
      CAPTURE(space);
      const Lorentz h(-kappa);
      const Tensor x = points(h, space, 1), y = points(h, space, 2);
      const Tensor size = y.norm(Axis::cols);
      const Tensor back = h.expmap(x, h.logmap(x, y));
      CHECK(largest((back - y) / size) <= 2e-5);
      CHECK(largest((h.expmap0(h.logmap0(y)) - y) / size) <= 5e-6);
      CHECK(largest((h.geodesic(x, y, 1.0) - y) / size) <= 2e-6);
      CHECK(h.geodesic(x, y, 0.0).allclose(x, 0.0, 0.0));
      const Tensor d = h.dist(x, y);
      CHECK(largest(h.dist(x, h.geodesic(x, y, 0.3)) / d - 0.3) <= 2e-5);
      CHECK(largest(h.dist(x, x)) == 0.0);
      const Tensor v = h.logmap(x, y);
      const auto sizes = squares(v);
      for (std::int64_t i = 0; i < kRows && space < 10; ++i) {
        const double expected = d.at(i, 0);
        CHECK(std::sqrt(std::max(0.0, sizes[std::size_t(i)])) ==
              doctest::Approx(expected).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("hyperboloid: transport keeps norms and angles") {
  for (const double kappa : kKappas) {
    const Lorentz h(-kappa);
    const Tensor x = points(h, 3, 11), y = points(h, 3, 13), v = tangents(h, x, 15);
    const auto before = squares(v);
    const auto after = squares(h.parallel_transport(x, y, v));
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-3));
    }
    const Tensor along = h.parallel_transport(x, y, h.logmap(x, y));
    CHECK(largest((along + h.logmap(y, x)) / along.norm(Axis::cols)) <= 1e-4);
  }
}

TEST_CASE("hyperboloid: isometric to the ball") {
  for (const double kappa : kKappas) {
    const Lorentz h(-kappa);
    const PoincareBall ball(-kappa);
    const Tensor x = points(h, 4, 21), y = points(h, 4, 23), v = tangents(h, x, 25);
    const Tensor p = h.to_poincare(x), q = h.to_poincare(y);
    CHECK(largest((h.from_poincare(p) - x) / x.norm(Axis::cols)) <= 1e-4);
    CHECK(largest(h.dist(x, y) - ball.dist(p, q)) <= 1e-4 * h.radius());
    CHECK(largest(h.dist_matrix(x, y) - ball.dist_matrix(p, q)) <= 2e-4 * h.radius());
    CHECK(largest(h.conformal_factor(x) / ball.conformal_factor(p) - 1.0) <= 1e-4);
    const Tensor w = h.to_poincare_tangent(x, v);
    CHECK(largest((h.from_poincare_tangent(p, w) - v) / v.norm(Axis::cols)) <= 1e-4);
    CHECK(largest(h.to_poincare(h.expmap(x, v)) - ball.expmap(p, w)) <= 1e-4 * h.radius());
    CHECK(largest(h.to_poincare_tangent(y, h.parallel_transport(x, y, v)) -
                  ball.parallel_transport(p, q, w)) <= 1e-4 * h.radius());
    CHECK(largest(h.to_poincare(h.geodesic(x, y, 0.6)) - ball.geodesic(p, q, 0.6)) <=
          1e-5 * h.radius());
    const Tensor mean = h.frechet_mean(x);
    CHECK(mean.shape() == Shape{1, 5});
    CHECK(largest(h.to_poincare(mean) - ball.frechet_mean(p)) <= 1e-6 * h.radius());
    CHECK(h.gyromidpoint(x).shape() == Shape{1, 5});
    CHECK(h.mobius_add(x, y).shape() == x.shape());
    CHECK(h.gyration(x, y, x).shape() == x.shape());
    CHECK(largest(h.mobius_scalar(1.0, x) - h.from_poincare(p)) <= 1e-4 * largest(x));
    CHECK(h.mobius_matvec(Tensor::ones(4, 2), x).shape() == Shape{kRows, 3});
  }
}

TEST_CASE("hyperboloid: the margin, rows that are not finite, what stays") {
  const Lorentz h;
  const double most = std::sinh(40.0);
  const Tensor far = h.project(Tensor(1, 3, {0.0F, 3e38F, 0.0F}));
  CHECK(far.at(0, 0) == doctest::Approx(most).epsilon(1e-6));
  CHECK(far.at(0, 1) == doctest::Approx(most).epsilon(1e-6));
  CHECK(h.project(far).allclose(far, 0.0, 0.0));
  const Tensor x = points(h, 3, 31);
  CHECK(h.project(x).allclose(x, 0.0, 0.0));
  CHECK(h.expmap(x, Tensor(1, 4)).allclose(x, 0.0, 0.0));
  const Tensor long_step = h.expmap0(Tensor(1, 3, {0.0F, 1e30F, 0.0F}));
  CHECK(long_step.at(0, 1) == doctest::Approx(most).epsilon(1e-6));
  const Tensor bad = h.dist(Tensor(1, 3, {1.0F, NAN, 0.0F}), far);
  CHECK(std::isnan(bad.at(0, 0)));
  CHECK(largest(h.drop(h.lift(x)) - x) == 0.0);
  // At radius 20 the ball's coordinates round to its rim; distances here are right.
  const Tensor a = h.expmap0(Tensor(1, 3, {0.0F, 20.0F, 0.0F}));
  const Tensor b = h.expmap0(Tensor(1, 3, {0.0F, 0.0F, 20.0F}));
  CHECK(h.dist(a, b).at(0, 0) == doctest::Approx(40.0 - std::log(2.0)).epsilon(1e-6));
  const Tensor near = h.expmap0(Tensor(1, 3, {0.0F, 0.5F, 0.0F}));
  CHECK(h.dist(far, near).at(0, 0) == doctest::Approx(39.5).epsilon(1e-6));
  CHECK(h.dist(near, far).at(0, 0) == doctest::Approx(39.5).epsilon(1e-6));
}

TEST_CASE("hyperboloid: errors") {
  for (const double bad : {0.0, 1.0, -1e-13, -1e13, -HUGE_VAL, double(NAN)}) {
    check_error(Errc::curvature, [&] { (void)Lorentz(bad); });
  }
  CHECK(Lorentz(-4.0).radius() == 0.5);
  CHECK(Lorentz(-4.0) == Lorentz(-4.0));
  CHECK(!(Lorentz(-4.0) == Lorentz(-1.0)));
  CHECK(Lorentz(-0.5).repr() == "Lorentz(curvature=-0.5)");
  const Lorentz h;
  const Tensor a(3, 3), b(2, 3), c(3, 4), row(1, 3), thin(3, 1);
  check_error(Errc::shape_mismatch, [&] { (void)h.dist(a, b); });
  check_error(Errc::shape_mismatch, [&] { (void)h.expmap(a, c); });
  check_error(Errc::shape_mismatch, [&] { (void)h.project(thin); });
  check_error(Errc::shape_mismatch, [&] { (void)h.drop(thin); });
  check_error(Errc::shape_mismatch, [&] { (void)h.dist_matrix(a, c); });
  check_error(Errc::shape_mismatch, [&] { (void)h.dist_matrix(thin); });
  check_error(Errc::shape_mismatch, [&] { (void)h.geodesic(a, a, Tensor(3, 2)); });
  check_error(Errc::shape_mismatch, [&] { (void)h.mobius_add(a, c); });
  CHECK(h.dist(a, row).shape() == Shape{3, 1});
  CHECK(h.geodesic(row, row, Tensor(3, 1)).shape() == Shape{3, 3});
}

namespace {

// An operation and its operands: p points, v tangent vectors, g any rows, t numbers, b points of
// the ball, w vectors there.
struct Case {
  const char* name;
  const char* operands;
  std::function<Tensor(const Lorentz&, const std::vector<Tensor>&)> call;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"project", "p", [](auto& h, auto& x) { return h.project(x[0]); }},
      {"expmap0", "v", [](auto& h, auto& x) { return h.expmap0(x[0]); }},
      {"logmap0", "p", [](auto& h, auto& x) { return h.logmap0(x[0]); }},
      {"expmap", "pv", [](auto& h, auto& x) { return h.expmap(x[0], x[1]); }},
      {"logmap", "pp", [](auto& h, auto& x) { return h.logmap(x[0], x[1]); }},
      {"dist", "pp", [](auto& h, auto& x) { return h.dist(x[0], x[1]); }},
      {"squared dist", "pp", [](auto& h, auto& x) { return h.dist(x[0], x[1], true); }},
      {"dist_matrix", "pp", [](auto& h, auto& x) { return h.dist_matrix(x[0], x[1]); }},
      {"dist_matrix of itself", "p", [](auto& h, auto& x) { return h.dist_matrix(x[0]); }},
      {"parallel_transport", "ppv",
       [](auto& h, auto& x) { return h.parallel_transport(x[0], x[1], x[2]); }},
      {"geodesic", "ppt", [](auto& h, auto& x) { return h.geodesic(x[0], x[1], x[2]); }},
      {"egrad2rgrad", "pg", [](auto& h, auto& x) { return h.egrad2rgrad(x[0], x[1]); }},
      {"conformal_factor", "p", [](auto& h, auto& x) { return h.conformal_factor(x[0]); }},
      {"to_poincare", "p", [](auto& h, auto& x) { return h.to_poincare(x[0]); }},
      {"from_poincare", "b", [](auto& h, auto& x) { return h.from_poincare(x[0]); }},
      {"to_poincare_tangent", "pv",
       [](auto& h, auto& x) { return h.to_poincare_tangent(x[0], x[1]); }},
      {"from_poincare_tangent", "bw",
       [](auto& h, auto& x) { return h.from_poincare_tangent(x[0], x[1]); }},
      {"lift", "w", [](auto& h, auto& x) { return h.lift(x[0]); }},
      {"drop", "p", [](auto& h, auto& x) { return h.drop(x[0]); }},
      {"mobius_add", "pp", [](auto& h, auto& x) { return h.mobius_add(x[0], x[1]); }},
      {"gyromidpoint", "p", [](auto& h, auto& x) { return h.gyromidpoint(x[0]); }},
      {"frechet_mean", "p", [](auto& h, auto& x) { return h.frechet_mean(x[0]); }},
  };
  return list;
}

Tensor operand_for(const Lorentz& h, char kind, std::int64_t rows, std::uint64_t seed) {
  constexpr std::int64_t kSpace = 3;
  switch (kind) {
    case 'p':
      return points(h, kSpace, seed, rows);
    case 'b':
      return h.to_poincare(points(h, kSpace, seed, rows));
    case 't':
      return Tensor::rand(rows, 1, seed);
    case 'w':
      return Tensor::randn(rows, kSpace, seed);
    default:
      return Tensor::randn(rows, kSpace + 1, seed) * h.radius();
  }
}

double weighted(const Tensor& y, const Tensor& weights) {
  const auto a = y.data();
  const auto b = weights.data();
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
  return sum;
}

void check_gradient(const Case& c, const Lorentz& h, std::vector<Tensor> x) {
  for (Tensor& t : x) t.requires_grad_(true);
  const Tensor y = c.call(h, x);
  const Tensor weights = Tensor::randn(y.rows(), y.cols(), 99);
  y.backward(weights);
  const NoGrad constant;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Tensor g = *x[k].grad();
    for (std::int64_t i = 0; i < x[k].rows(); ++i) {
      for (std::int64_t j = 0; j < x[k].cols(); ++j) {
        const double at = x[k].at(i, j);
        const auto step = static_cast<float>(2e-3 * std::max(std::abs(at), h.radius()));
        std::array<double, 2> sums{};
        double apart = 0.0;
        for (const int side : {0, 1}) {
          std::vector<Tensor> moved;
          for (const Tensor& t : x) moved.push_back(t.detach().clone());
          const float to = static_cast<float>(at) + (side == 0 ? step : -step);
          moved[k].assign({.start = i, .stop = i + 1}, {.start = j, .stop = j + 1},
                          Tensor(1, 1, {to}));
          apart += (side == 0 ? 1.0 : -1.0) * to;
          sums[std::size_t(side)] = weighted(c.call(h, moved), weights);
        }
        CAPTURE(k);
        CAPTURE(i);
        CAPTURE(j);
        const double size = std::max(1.0, largest(g));
        CHECK(std::abs((sums[0] - sums[1]) / apart - g.at(i, j)) <= 5e-3 * size);
      }
    }
  }
}

}  // namespace

TEST_CASE("hyperboloid: gradients agree with central differences") {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    for (const double kappa : kKappas) {
      CAPTURE(kappa);
      const Lorentz h(-kappa);
      const std::string kinds = c.operands;
      for (std::size_t alone = 0; alone <= kinds.size(); ++alone) {  // a row repeated
        if (alone < kinds.size() && kinds.size() == 1) continue;
        std::vector<Tensor> x;
        for (std::size_t k = 0; k < kinds.size(); ++k) {
          x.push_back(operand_for(h, kinds[k], k == alone ? 1 : 4, 7 * k + 3));
        }
        check_gradient(c, h, x);
      }
    }
  }
}

TEST_CASE("hyperboloid: gradients where none exists, and at the margin") {
  const Lorentz h;
  Tensor x = points(h, 3, 41);
  x.requires_grad_(true);
  h.dist(x, x.detach()).backward(Tensor::ones(kRows, 1));
  CHECK(largest(*x.grad()) == 0.0);
  Tensor far(1, 3, {0.0F, 3e20F, 4e20F});
  far.requires_grad_(true);
  h.project(far).backward(Tensor(1, 3, {0.0F, 1.0F, 0.0F}));
  const double factor = std::sinh(40.0) / 5e20;  // (ρ/‖x‖)(I − x̂x̂ᵀ)
  CHECK(far.grad()->at(0, 0) == 0.0);
  CHECK(far.grad()->at(0, 1) == doctest::Approx(factor * 0.64).epsilon(1e-5));
  CHECK(far.grad()->at(0, 2) == doctest::Approx(-factor * 0.48).epsilon(1e-5));
}
