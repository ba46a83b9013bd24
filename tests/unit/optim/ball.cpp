#include "spiraltorch/geometry/poincare_ball.hpp"
#include "support.hpp"

using namespace optim_test;

namespace {

// The rules of Bonnabel 2013 and Bécigneul & Ganea 2019 for one row, in double.
struct Reference {
  const optim::ParamGroup& k;
  Ball ball;
  bool adam = false;
  bool decoupled = false;
  Row m{};
  double u = 0;
  double most = 0;
  int t = 0;

  Row operator()(Row x, const Row& g) {
    ++t;
    if (m.empty()) m.assign(x.size(), 0.0);
    x = ball.project(x);
    const double l = ball.lambda(x);
    Row h = mix(1 / (l * l), g, 0, g);
    if (!decoupled) h = mix(1, h, -k.weight_decay, ball.log(x, Row(x.size(), 0.0)));
    Row d;
    if (adam) {
      m = mix(k.beta1, m, 1 - k.beta1, h);
      u = k.beta2 * u + (1 - k.beta2) * l * l * dot(h, h);
      most = std::max(most, u);
      const double corrected = (k.amsgrad ? most : u) / (1 - std::pow(k.beta2, t));
      d = mix(1 / (1 - std::pow(k.beta1, t)) / (std::sqrt(corrected) + k.eps), m, 0, m);
    } else {
      m = mix(k.momentum, m, 1, h);
      d = k.nesterov ? mix(1, h, k.momentum, m) : m;
    }
    if (decoupled && dot(x, x) > 0) {
      const double s = std::sqrt(ball.kappa * dot(x, x));
      const Row to = mix(std::tanh((1 - k.lr * k.weight_decay) * std::atanh(s)) / s, x, 0, x);
      const double ratio = ball.lambda(x) / ball.lambda(to);
      x = to;
      d = mix(ratio, d, 0, d);
      m = mix(ratio, m, 0, m);
    }
    const Row next = ball.exp(x, mix(-k.lr, d, 0, d));
    m = ball.transport(x, next, m);
    return next;
  }
};

std::unique_ptr<optim::Optimizer> make(const optim::ParamGroup& group, bool adam, bool decoupled) {
  const std::vector<optim::ParamGroup> groups{group};
  if (!adam) return std::make_unique<optim::RiemannianSGD>(groups);
  if (!decoupled) return std::make_unique<optim::RiemannianAdam>(groups);
  return std::make_unique<optim::AdamW>(groups);
}

void compare(optim::ParamGroup group, bool adam, bool decoupled) {
  for (const double kappa : {0.5, 1.0, 2.0}) {
    CAPTURE(kappa);
    nn::Parameter p(points(70, 5, kappa, 4), PoincareBall(-kappa));
    group.params = {p};
    const auto optimizer = make(group, adam, decoupled);
    std::vector<Reference> rules(
        70, Reference{.k = group, .ball = {kappa}, .adam = adam, .decoupled = decoupled});
    std::vector<Row> want;
    for (std::int64_t i = 0; i < 70; ++i) want.push_back(row_of(p, i));
    for (std::uint64_t t = 0; t < 4; ++t) {
      p.set_grad(Tensor::randn(70, 5, 30 + t));
      optimizer->step();
      for (std::int64_t i = 0; i < 70; ++i) {
        CAPTURE(i);
        auto& row = want[static_cast<std::size_t>(i)];
        row = rules[static_cast<std::size_t>(i)](row, row_of(*p.grad(), i));
        check_rows_near(row_of(p, i), row, 4e-6);
      }
    }
    const auto state = optimizer->state();
    const auto found = state.slots[0].find(adam ? "first" : "momentum");
    if (found == state.slots[0].end()) continue;
    for (std::int64_t i = 0; i < 70; ++i) {
      check_rows_near(row_of(found->second, i), rules[static_cast<std::size_t>(i)].m, 2e-5);
    }
  }
}

}  // namespace

TEST_CASE("ball rules follow the papers' formulas") {
  compare({.params = {}, .lr = 0.1}, false, false);
  compare({.params = {}, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.1}, false, false);
  compare({.params = {}, .lr = 0.1, .momentum = 0.8, .nesterov = true}, false, false);
  compare({.params = {}, .lr = 0.1}, true, false);
  compare({.params = {}, .lr = 0.1, .weight_decay = 0.3, .beta2 = 0.6, .amsgrad = true}, true,
          false);
  compare({.params = {}, .lr = 0.1, .weight_decay = 0.5}, true, true);
}

// In one dimension everything is a line: with x = 0, λ = 2 and ∇ = 4, h = 1; the first step of Adam
// has length η in the metric λ|d| = 2·1/(2·1): d = h/√(λ²h²) = 1/2, so x' = −tanh(η/2).
TEST_CASE("the first step of RiemannianAdam, by hand") {
  nn::Parameter p(Tensor(1, 1), PoincareBall(-1.0));
  p.set_grad(Tensor(1, 1, {4.0F}));
  optim::RiemannianAdam optimizer({p}, {.lr = 0.1});
  optimizer.step();
  CHECK(p.at(0, 0) == doctest::Approx(-std::tanh(0.05)).epsilon(1e-6));
  const auto slots = optimizer.state().slots[0];
  CHECK(slots.at("second").at(0, 0) == doctest::Approx(0.001 * 4.0));
  // Transport along the line is the factor λ_x/λ_x' = 1 − x'².
  const double x = std::tanh(0.05);
  CHECK(slots.at("first").at(0, 0) == doctest::Approx(0.1 * (1 - x * x)).epsilon(1e-6));
}

TEST_CASE("without decay the rules commute with isometries") {
  const Ball ball{1.0};
  const Row a{0.3, -0.4, 0.2};
  for (const bool adam : {false, true}) {
    nn::Parameter p(points(40, 3, 1.0, 5, 0.8), PoincareBall(-1.0));
    Tensor moved = p.clone();
    {
      const NoGrad guard;
      moved = PoincareBall(-1.0).mobius_add(Tensor(1, 3, {0.3F, -0.4F, 0.2F}), p.detach());
    }
    nn::Parameter q(moved, PoincareBall(-1.0));
    optim::ParamGroup group{.params = {p}, .lr = 0.2, .momentum = 0.9};
    const auto first = make(group, adam, false);
    group.params = {q};
    const auto second = make(group, adam, false);
    for (std::uint64_t t = 0; t < 4; ++t) {
      // A covector at x, and its image under x → a ⊕ x, whose differential at x is
      // (λ_x/λ_{a⊕x})·gyr[a, x]: covectors carry the inverse factor.
      const Tensor g = Tensor::randn(40, 3, 50 + t);
      const Tensor image = Tensor::from_fn(40, 3, [&](std::int64_t i, std::int64_t j) {
        const Row x = row_of(p, i);
        const Row y = ball.add(a, x);
        return ball.lambda(y) / ball.lambda(x) *
               ball.gyr(a, x, row_of(g, i))[static_cast<std::size_t>(j)];
      });
      p.set_grad(g);
      q.set_grad(image);
      first->step();
      second->step();
    }
    for (std::int64_t i = 0; i < 40; ++i) {
      CAPTURE(i);
      check_rows_near(row_of(q, i), ball.add(a, row_of(p, i)), 2e-5);
    }
  }
}

TEST_CASE("on the squared distance SGD contracts by 1 - 2·lr each step") {
  for (const double kappa : {0.5, 1.0, 2.0}) {
    const Ball ball{kappa};
    const PoincareBall manifold(-kappa);
    nn::Parameter p(points(50, 4, kappa, 6, 0.9), manifold);
    const Tensor target = points(50, 4, kappa, 7, 0.9);
    optim::SGD optimizer({p}, {.lr = 0.1});
    for (int t = 0; t < 3; ++t) {
      std::vector<double> before;
      for (std::int64_t i = 0; i < 50; ++i) {
        before.push_back(ball.dist(row_of(p, i), row_of(target, i)));
      }
      p.zero_grad();
      manifold.dist(p, target, true).sum().backward();
      optimizer.step();
      for (std::int64_t i = 0; i < 50; ++i) {
        CAPTURE(i);
        const double want = 0.8 * before[static_cast<std::size_t>(i)];
        CHECK(ball.dist(row_of(p, i), row_of(target, i)) == doctest::Approx(want).epsilon(2e-5));
      }
    }
  }
}

TEST_CASE("transport keeps lengths in the metric and turns log_x(y) into -log_y(x)") {
  const Ball ball{1.0};
  const PoincareBall manifold(-1.0);
  nn::Parameter p(points(50, 4, 1.0, 8, 0.9), manifold);
  const Tensor x = p.clone();
  // One step of SGD with momentum: the momentum afterwards is h carried along the step.
  optim::SGD optimizer({p}, {.lr = 0.5, .momentum = 0.5});
  p.set_grad(Tensor::randn(50, 4, 9));
  optimizer.step();
  const auto slots = optimizer.state().slots[0];
  for (std::int64_t i = 0; i < 50; ++i) {
    CAPTURE(i);
    const Row from = row_of(x, i);
    const Row to = row_of(p, i);
    const Row m = row_of(slots.at("momentum"), i);
    const double l = ball.lambda(from);
    const Row g = row_of(*p.grad(), i);
    const double length = std::sqrt(dot(g, g)) / l;  // λ‖h‖, h = g/λ²
    CHECK(ball.lambda(to) * std::sqrt(dot(m, m)) == doctest::Approx(length).epsilon(1e-5));
    // −lr·h = log_x(x'), so −lr·m = −log_x'(x).
    const Row back = ball.log(to, from);
    check_rows_near(mix(0.5, m, 0, m), back, 1e-5);
  }
}

TEST_CASE("iterates stay in the ball under huge gradients, momentum stays finite") {
  for (const bool adam : {false, true}) {
    nn::Parameter p(points(64, 3, 1.0, 11, 0.99999), PoincareBall(-1.0));
    optim::ParamGroup group{.params = {p}, .lr = 10.0, .momentum = 0.9};
    const auto optimizer = make(group, adam, false);
    for (std::uint64_t t = 0; t < 5; ++t) {
      p.set_grad(Tensor::randn(64, 3, 60 + t).scale(1e6));
      optimizer->step();
      for (std::int64_t i = 0; i < 64; ++i) {
        const Row x = row_of(p, i);
        CHECK(std::sqrt(dot(x, x)) <= (1 - 1e-5) * (1 + 1e-6));
      }
      const auto state = optimizer->state();
      for (const auto& [name, slot] : state.slots[0]) {
        for (const float v : slot.data()) CHECK(std::isfinite(v));
      }
    }
  }
}

TEST_CASE("rows without gradient and momentum keep their bits") {
  for (const bool adam : {false, true}) {
    nn::Parameter p(points(33, 5, 1.0, 12), PoincareBall(-1.0));
    {
      const NoGrad guard;
      p.assign({.start = 3, .stop = 4}, {.start = 2, .stop = 3}, Tensor(1, 1, {-0.0F}));
    }
    const Tensor before = p.clone();
    Tensor g(33, 5);
    g.assign({.start = 7, .stop = 9}, {}, Tensor::ones(2, 5));
    optim::ParamGroup group{.params = {p}, .lr = 0.1, .momentum = 0.9};
    const auto optimizer = make(group, adam, false);
    for (int t = 0; t < 3; ++t) {
      p.set_grad(g);
      optimizer->step();
    }
    for (std::int64_t i = 0; i < 33; ++i) {
      CHECK(same_bits(p.row(i), before.row(i)) == (i != 7 && i != 8));
    }
  }
}
