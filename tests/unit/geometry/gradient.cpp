#include <doctest/doctest.h>

#include <functional>

#include "check_error.hpp"
#include "oracle.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "spiraltorch/tensor/autograd.hpp"

using namespace spiraltorch;
using oracle::Real;
using oracle::Row;

namespace {

using Rows = std::vector<Row>;
using Reference = std::function<Rows(const oracle::Ball&, const std::vector<Rows>&)>;
using Operation = std::function<Tensor(const PoincareBall&, const std::vector<Tensor>&)>;

// An operation, its operands (p: points, v: vectors, t: numbers, w: weights) and its reference.
struct Case {
  std::string name;
  std::string operands;
  Operation operation;
  Reference reference;
};

// A function of rows, applied to every row of operands of which some are a single row.
template <class F>
Reference each_row(F f) {
  return [f](const oracle::Ball& b, const std::vector<Rows>& in) {
    std::size_t rows = 1;
    for (const Rows& x : in) rows = std::max(rows, x.size());
    Rows out;
    for (std::size_t i = 0; i < rows; ++i) {
      Rows at;
      for (const Rows& x : in) at.push_back(x[x.size() == 1 ? 0 : i]);
      out.push_back(f(b, at));
    }
    return out;
  };
}

Rows all_distances(const oracle::Ball& b, const Rows& x, const Rows& y) {
  Rows out;
  for (const Row& p : x) {
    Row row;
    for (const Row& q : y) row.push_back(&p == &q ? 0 : b.dist(p, q));
    out.push_back(row);
  }
  return out;
}

// What is left to check of each operation: (operands, the call, the row's reference).
#define ROWS(name, operands, call, expected)                                             \
  Case {                                                                                 \
    name, operands, [](const PoincareBall& b, const auto& x) -> Tensor { return call; }, \
        each_row([](const oracle::Ball& o, const Rows& r) -> Row { return expected; })   \
  }

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      ROWS("project", "p", b.project(x[0]), o.project(r[0])),
      ROWS("import", "p", b.import(x[0]), o.import(r[0])),
      ROWS("expmap0", "v", b.expmap0(x[0]), o.exp0(r[0])),
      ROWS("logmap0", "p", b.logmap0(x[0]), o.log0(r[0])),
      ROWS("mobius_add", "pp", b.mobius_add(x[0], x[1]), o.add(r[0], r[1])),
      ROWS("mobius_scalar", "tp", b.mobius_scalar(x[0], x[1]),
           o.project(o.times(r[0][0], o.project(r[1])))),
      ROWS("expmap", "pv", b.expmap(x[0], x[1]), o.exp(r[0], r[1])),
      ROWS("logmap", "pp", b.logmap(x[0], x[1]), o.log(r[0], r[1])),
      ROWS("gyration", "ppv", b.gyration(x[0], x[1], x[2]), o.gyr(r[0], r[1], r[2])),
      ROWS("parallel_transport", "ppv", b.parallel_transport(x[0], x[1], x[2]),
           o.transport(r[0], r[1], r[2])),
      ROWS("dist", "pp", b.dist(x[0], x[1]), (Row{o.dist(r[0], r[1])})),
      ROWS("squared dist", "pp", b.dist(x[0], x[1], true),
           (Row{o.dist(r[0], r[1]) * o.dist(r[0], r[1])})),
      ROWS("conformal_factor", "p", b.conformal_factor(x[0]), (Row{o.lambda(o.project(r[0]))})),
      ROWS("egrad2rgrad", "pv", b.egrad2rgrad(x[0], x[1]),
           oracle::scaled(1 / o.lambda(o.project(r[0])) / o.lambda(o.project(r[0])), r[1])),
      ROWS("geodesic", "ppt", b.geodesic(x[0], x[1], x[2]), o.geodesic(r[0], r[1], r[2][0])),
      ROWS("to_lorentz", "p", b.to_lorentz(x[0]), o.lorentz(r[0])),
      ROWS("project_to_poincare", "v", x[0].project_to_poincare(b.curvature()), o.exp0(r[0])),
      {"dist_matrix", "pp", [](auto& b, auto& x) { return b.dist_matrix(x[0], x[1]); },
       [](auto& o, auto& x) { return all_distances(o, x[0], x[1]); }},
      {"dist_matrix of one", "p", [](auto& b, auto& x) { return b.dist_matrix(x[0]); },
       [](auto& o, auto& x) { return all_distances(o, x[0], x[0]); }},
      {"gyromidpoint", "pw", [](auto& b, auto& x) { return b.gyromidpoint(x[0], x[1]); },
       [](auto& o, auto& x) { return Rows{o.midpoint(x[0], x[1])}; }},
      {"frechet_mean", "pw", [](auto& b, auto& x) { return b.frechet_mean(x[0], x[1], 1e-12); },
       [](auto& o, auto& x) { return Rows{o.mean(x[0], x[1])}; }},
  };
  return list;
}
#undef ROWS

double weight(std::size_t i) { return 1.0 + 0.25 * double(i); }

// Σ of the reference's elements, every one counted differently.
Real value(const Case& c, const oracle::Ball& ball, const std::vector<Rows>& inputs) {
  Real sum = 0;
  std::size_t i = 0;
  for (const Row& row : c.reference(ball, inputs)) {
    for (const Real v : row) sum += weight(i++) * v;
  }
  return sum;
}

std::vector<Rows> widened(const std::vector<Tensor>& inputs) {
  std::vector<Rows> out;
  for (const Tensor& x : inputs) {
    const auto data = x.data();
    Rows rows;
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      rows.emplace_back(data.begin() + i * x.cols(), data.begin() + (i + 1) * x.cols());
    }
    out.push_back(rows);
  }
  return out;
}

void compare(const Case& c, double kappa, const std::vector<Tensor>& inputs, bool outside) {
  const oracle::Ball ball{kappa};
  std::vector<Rows> moved = widened(inputs);
  // At the rim the reference itself loses up to ten digits: a longer step, and room for the rest.
  const Real step = (outside ? 1e-4L : 1e-7L) / std::sqrt(Real(kappa));
  const double noise =
      outside ? 2e-13 * double(std::abs(value(c, ball, moved)) / step) + 1e-4 : 0.0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    REQUIRE(inputs[k].grad());
    const auto got = inputs[k].grad()->data();
    std::vector<double> expected;
    double largest = 0;
    for (Row& row : moved[k]) {
      for (Real& v : row) {
        const Real before = v;
        v = before + step;
        const Real above = value(c, ball, moved);
        v = before - step;
        const Real below = value(c, ball, moved);
        v = before;
        expected.push_back(double((above - below) / (2 * step)));
        largest = std::max(largest, std::abs(expected.back()));
      }
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(k);
      CAPTURE(i);
      CAPTURE(got[i]);
      CAPTURE(expected[i]);
      CHECK(std::abs(got[i] - expected[i]) <= 2e-5 * (largest + 1e-3) + noise);
    }
  }
}

// Rows of scaled length `size`; numbers and weights about 1.
Tensor operand(char kind, std::int64_t rows, std::int64_t cols, double size, double kappa,
               std::uint64_t seed) {
  if (kind == 't') return Tensor::rand(rows, 1, seed) * 1.5 - 0.4;
  if (kind == 'w') return Tensor::rand(rows, 1, seed) * 3.0 + 0.2;
  const Tensor x = Tensor::randn(rows, cols, seed);
  return x / x.norm(Axis::cols) * (size / std::sqrt(kappa));
}

void check_case(const Case& c, double kappa, Shape shape, double size, std::size_t repeated) {
  std::vector<Tensor> inputs;
  for (std::size_t k = 0; k < c.operands.size(); ++k) {
    const bool single = k == repeated && c.operands != "pw";
    // The second operand's rows are shorter, so that no two rows are opposite or equal.
    const double factor = k == 1 ? 0.9 : 1.0;
    inputs.push_back(operand(c.operands[k], single ? 1 : shape.rows, shape.cols, size * factor,
                             kappa, 17 * k + 3)
                         .clone());
    inputs.back().requires_grad_();
  }
  CAPTURE(c.name);
  CAPTURE(kappa);
  CAPTURE(to_text(shape));
  CAPTURE(size);
  CAPTURE(repeated);
  const PoincareBall ball(-kappa);
  const Tensor y = c.operation(ball, inputs);
  y.backward(Tensor::from_fn(
      y.rows(), y.cols(), [&](auto i, auto j) { return weight(std::size_t(i * y.cols() + j)); }));
  compare(c, kappa, inputs, size > 1);
}

// Every point and vector operand the same row, or the second one opposite to it.
std::vector<Tensor> tracked(const Case& c, const Tensor& row, bool opposite) {
  std::vector<Tensor> inputs;
  for (std::size_t k = 0; k < c.operands.size(); ++k) {
    const bool number = c.operands[k] == 't' || c.operands[k] == 'w';
    const Tensor x = k == 1 && opposite ? -row : row.clone();
    inputs.push_back(number ? Tensor::full(row.rows(), 1, 0.5) : x);
    inputs.back().requires_grad_();
  }
  return inputs;
}

}  // namespace

TEST_CASE("gradients through the ball agree with central differences") {
  for (const Case& c : cases()) {
    for (const double kappa : {0.5, 1.0, 2.0}) {
      for (const std::int64_t rows : {1, 3}) {
        for (const std::int64_t cols : {1, 2, 5}) {
          if (cols == 1 && c.name == "dist_matrix of one") continue;  // its rows would coincide
          for (const double size : {1e-4, 0.02, 0.5, 0.95, 0.999, 1.2, 3.0}) {
            for (std::size_t repeated = 0; repeated <= c.operands.size(); ++repeated) {
              if (rows == 1 && repeated > 0) continue;
              check_case(c, kappa, {rows, cols}, size, repeated);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gradients at the origin, at coincidence and at the rim are finite") {
  for (const Case& c : cases()) {
    for (const double kappa : {1e-12, 0.5, 1.0, 2.0, 1e12}) {
      const PoincareBall ball(-kappa);
      const Tensor rim = ball.project(Tensor(2, 3, {3, -1, 2, 1e-3F, 5, 0}) * ball.radius());
      for (const Tensor& row : {Tensor(2, 3), Tensor::full(2, 3, 0.1 * ball.radius()), rim}) {
        for (const bool opposite : {false, true}) {
          CAPTURE(c.name);
          CAPTURE(kappa);
          CAPTURE(opposite);
          const auto inputs = tracked(c, row, opposite);
          const Tensor y = c.operation(ball, inputs);
          y.backward(Tensor::ones(y.rows(), y.cols()));
          for (const Tensor& x : inputs) {
            for (const float v : x.grad()->data()) CHECK(std::isfinite(v));
          }
        }
      }
    }
  }
}

TEST_CASE("gradients do not depend on threads") {
  const int threads = thread_count();
  for (const Case& c : cases()) {
    std::vector<std::vector<float>> first;
    for (const int count : {1, 3}) {
      set_thread_count(count);
      const auto inputs = tracked(c, operand('p', 700, 4, 0.5, 1.0, 5), true);
      const Tensor y = c.operation(PoincareBall(), inputs);
      y.backward(Tensor::ones(y.rows(), y.cols()));
      std::vector<std::vector<float>> gradients;
      for (const Tensor& x : inputs) gradients.push_back(x.grad()->data());
      if (count == 1) first = gradients;
      CAPTURE(c.name);
      CHECK(gradients == first);
    }
  }
  set_thread_count(threads);
}

TEST_CASE("chosen gradients where none exists") {
  const PoincareBall ball;
  const Tensor x(1, 2, {0.3F, 0.4F}, {.requires_grad = true});
  for (const bool squared : {false, true}) {
    const Tensor y(1, 2, {0.3F, 0.4F}, {.requires_grad = true});
    ball.dist(x, y, squared).backward();
    CHECK(x.grad()->data() == std::vector<float>{0, 0});
    CHECK(y.grad()->data() == std::vector<float>{0, 0});
  }
  // Radially, a clamped row does not move; across, it moves by ρ/|x|.
  const Tensor out(1, 2, {2, 0}, {.requires_grad = true});
  ball.project(out).backward(Tensor(1, 2, {1, 1}));
  CHECK(out.grad()->data()[0] == 0);
  CHECK(out.grad()->data()[1] == doctest::Approx(0.5 * (1 - 1e-5)));
}

TEST_CASE("rows that are not finite have gradients of NaN, their own only") {
  const PoincareBall ball;
  const Tensor x(3, 2, {0.1F, 0.2F, NAN, 0, INFINITY, 0}, {.requires_grad = true});
  ball.dist(x, Tensor(1, 2, {0.3F, 0.1F})).backward(Tensor::ones(3, 1));
  const auto g = x.grad()->data();
  CHECK(std::isfinite(g[0]));
  CHECK(std::isfinite(g[1]));
  for (std::size_t i = 2; i < 6; ++i) CHECK(std::isnan(g[i]));
}

TEST_CASE("compositions, and only what is tracked gets a gradient") {
  const PoincareBall ball;
  const Tensor m(2, 3, {0.4F, -0.3F, 0.2F, 0.1F, 0.5F, -0.6F}, {.requires_grad = true});
  const Tensor x(2, 2, {0.1F, 0.2F, -0.3F, 0.4F});
  ball.mobius_matvec(m, x).backward(Tensor::ones(2, 3));
  REQUIRE(m.grad());
  CHECK(!x.grad());
  // d² of a point to itself moved along the gradient: descent lands on the other point.
  const Tensor p(1, 2, {0.2F, -0.1F}, {.requires_grad = true});
  const Tensor q(1, 2, {-0.3F, 0.5F});
  ball.dist(p, q, true).backward(Tensor::full(1, 1, 0.5));
  const NoGrad guard;
  const Tensor landed = ball.expmap(p, -ball.egrad2rgrad(p, *p.grad()));
  CHECK(ball.dist(landed, q).item() <= 1e-6);
}
