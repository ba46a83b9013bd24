#include "check_error.hpp"
#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/optim/clip.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "support.hpp"

using namespace optim_test;

namespace {

nn::Parameter parameter(std::uint64_t seed, const Manifold& manifold = Euclidean()) {
  nn::Parameter p(Tensor::randn(4, 3, seed).scale(0.2), manifold);
  p.set_grad(Tensor::randn(4, 3, seed + 1));
  return p;
}

}  // namespace

TEST_CASE("settings out of range and parameters given twice are refused") {
  const nn::Parameter p = parameter(1);
  const auto sgd = [&p](const optim::SgdOptions& o) {
    return [&p, o] { (void)optim::SGD({p}, o); };
  };
  const auto adam = [&p](const optim::AdamOptions& o) {
    return [&p, o] { (void)optim::Adam({p}, o); };
  };
  check_error(Errc::empty_input, [] { (void)optim::SGD(std::vector<nn::Parameter>()); });
  check_error(Errc::invalid_value, [&] { (void)optim::SGD({p, p}); });
  check_error(Errc::invalid_value, [&] {
    (void)optim::Adam({optim::ParamGroup{.params = {p}}, optim::ParamGroup{.params = {p}}});
  });
  check_error(Errc::invalid_value, sgd({.lr = 0.0}));
  check_error(Errc::non_finite, sgd({.lr = NAN}));
  check_error(Errc::invalid_value, sgd({.momentum = 1.0}));
  check_error(Errc::invalid_value, sgd({.weight_decay = -0.1}));
  check_error(Errc::invalid_value, sgd({.nesterov = true}));
  check_error(Errc::invalid_value, adam({.beta1 = 1.0}));
  check_error(Errc::invalid_value, adam({.beta2 = -0.1}));
  check_error(Errc::invalid_value, adam({.eps = 0.0}));
}

TEST_CASE("a step with a gradient that is not finite changes nothing") {
  nn::Parameter first = parameter(1);
  nn::Parameter second = parameter(3, PoincareBall(-1.0));
  const Tensor a = first.clone();
  const Tensor b = second.clone();
  optim::Adam optimizer({first, second});
  Tensor g = Tensor::ones(4, 3);
  g.assign({.start = 2, .stop = 3}, {.start = 1, .stop = 2}, Tensor(1, 1, {NAN}));
  second.set_grad(g);
  check_error(Errc::non_finite, [&] { optimizer.step(); });
  CHECK(same_bits(first, a));
  CHECK(same_bits(second, b));
  CHECK(optimizer.state().step == 0);
  CHECK(optimizer.state().slots[0].empty());
}

TEST_CASE("a parameter that a live graph keeps is not changed, nor any other") {
  nn::Parameter first = parameter(1);
  nn::Parameter second = parameter(3);
  const Tensor a = first.clone();
  optim::SGD optimizer({first, second});
  const Tensor kept = second.hadamard(second);
  check_error(Errc::graph, [&] { optimizer.step(); });
  CHECK(same_bits(first, a));
}

TEST_CASE("groups have settings of their own; without a gradient nothing happens") {
  nn::Parameter slow = parameter(1);
  nn::Parameter fast = parameter(1);
  nn::Parameter none(Tensor::ones(1, 2));
  const Tensor start = slow.clone();
  optim::SGD optimizer({optim::ParamGroup{.params = {slow, none}, .lr = 0.1},
                        optim::ParamGroup{.params = {fast}, .lr = 0.2}});
  optimizer.step();
  CHECK(fast.sub(start).allclose(slow.sub(start).scale(2.0), 1e-4, 1e-7));
  CHECK(same_bits(none, Tensor::ones(1, 2)));
  CHECK(optimizer.parameters().size() == 3);
  optimizer.set_learning_rate(1, 0.0);
  CHECK(optimizer.learning_rate(1) == 0.0);
  check_error(Errc::out_of_range, [&] { optimizer.set_learning_rate(2, 0.1); });
  check_error(Errc::invalid_value, [&] { optimizer.set_learning_rate(0, -1.0); });
  optimizer.zero_grad();
  CHECK_FALSE(fast.grad());
}

TEST_CASE("lazy skips rows without gradient altogether") {
  for (const Manifold& manifold : {Manifold(Euclidean()), Manifold(PoincareBall(-1.0))}) {
    nn::Parameter lazy(points(300, 3, 1.0, 2), manifold);
    nn::Parameter eager(points(300, 3, 1.0, 2), manifold);
    optim::Adam skips({lazy}, {.lr = 0.1, .weight_decay = 0.1, .lazy = true});
    optim::Adam all({eager}, {.lr = 0.1, .weight_decay = 0.1});
    lazy.set_grad(Tensor::ones(300, 3));
    eager.set_grad(Tensor::ones(300, 3));
    skips.step();
    all.step();
    CHECK(same_bits(lazy, eager));
    const Tensor before = lazy.clone();
    const auto slots = skips.state().slots[0];
    Tensor g(300, 3);
    g.assign({.start = 123, .stop = 125}, {}, Tensor::ones(2, 3));
    lazy.set_grad(g);
    eager.set_grad(g);
    skips.step();
    all.step();
    const auto after = skips.state().slots[0];
    for (std::int64_t i = 0; i < 300; ++i) {
      CAPTURE(i);
      const bool touched = i == 123 || i == 124;
      CHECK(same_bits(lazy.row(i), before.row(i)) != touched);
      CHECK(same_bits(after.at("second").row(i), slots.at("second").row(i)) != touched);
      // t is global: a touched row does what it does among all.
      CHECK(same_bits(lazy.row(i), eager.row(i)) == touched);
    }
  }
}

TEST_CASE("a state restored continues with the same bits, a wrong one changes nothing") {
  nn::Parameter p = parameter(1, PoincareBall(-1.0));
  optim::Adam first({p}, {.lr = 0.1, .amsgrad = true});
  first.step();
  const auto state = first.state();
  nn::Parameter q(p, PoincareBall(-1.0));
  optim::Adam second({q}, {.lr = 0.5, .amsgrad = true});
  second.load_state(state);
  CHECK(second.learning_rate(0) == 0.1);
  const Tensor g = Tensor::randn(4, 3, 9);
  p.set_grad(g);
  q.set_grad(g);
  first.step();
  second.step();
  CHECK(same_bits(p, q));
  auto wrong = state;
  wrong.slots[0].insert_or_assign("second", Tensor(4, 3));
  check_error(Errc::shape_mismatch, [&] { second.load_state(wrong); });
  wrong = state;
  wrong.slots[0].emplace("momentum", Tensor(4, 3));
  check_error(Errc::invalid_value, [&] { second.load_state(wrong); });
  wrong = state;
  wrong.learning_rates = {0.1, 0.2};
  check_error(Errc::length_mismatch, [&] { second.load_state(wrong); });
  wrong = state;
  wrong.slots[0].insert_or_assign("second", Tensor::full(4, 1, HUGE_VAL));
  check_error(Errc::non_finite, [&] { second.load_state(wrong); });
  CHECK(second.state().step == 2);
}

TEST_CASE("clipping: below the bound nothing changes, a norm that is not finite is refused") {
  nn::Parameter p = parameter(1);
  std::vector<nn::Parameter> all{p, nn::Parameter(Tensor::ones(1, 1))};
  const Tensor before = p.grad()->clone();
  const double norm = optim::gradient_norm(all);
  CHECK(norm == doctest::Approx(before.norm().item()).epsilon(1e-6));
  CHECK(optim::clip_grad_norm_(all, 2 * norm) == norm);
  CHECK(same_bits(*p.grad(), before));
  check_error(Errc::invalid_value, [&] { (void)optim::clip_grad_norm_(all, 0.0); });
  p.set_grad(Tensor::full(4, 3, HUGE_VAL));
  check_error(Errc::non_finite, [&] { (void)optim::clip_grad_norm_(all, 1.0); });
  CHECK(optim::gradient_norm({}) == 0.0);
}

TEST_CASE("repr names the settings") {
  const nn::Parameter p = parameter(1);
  CHECK(optim::SGD({p}).repr() == "SGD(lr=0.01, momentum=0, weight_decay=0, nesterov=False)");
  CHECK(optim::RiemannianAdam({p}).repr() ==
        "RiemannianAdam(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0, amsgrad=False, "
        "lazy=False)");
  CHECK(optim::AdamW({p}).param_groups()[0].weight_decay == 0.01);
}

TEST_CASE("a look-up's gradient of few rows steps as the dense one does") {
  const auto run = [](const Manifold& manifold, bool dense, bool plain) {
    nn::Parameter table(points(400, 3, 1.0, 2), manifold);
    std::unique_ptr<optim::Optimizer> optimizer;
    if (plain) {
      optimizer = std::make_unique<optim::SGD>(std::vector{table}, optim::SgdOptions{.lr = 0.1});
    } else {
      optimizer = std::make_unique<optim::Adam>(std::vector{table},
                                                optim::AdamOptions{.lr = 0.1, .lazy = true});
    }
    for (std::int64_t t = 0; t < 3; ++t) {
      optimizer->zero_grad();
      const auto rows = IndexTensor::from_values(1, 4, {7, 399, 7, 20 + t});
      ops::index_select(table, rows).hadamard(Tensor::randn(4, 3, 5)).sum().backward();
      CHECK((detail::row_gradient(table) != nullptr));
      if (dense) (void)table.grad();
      const double norm = optim::gradient_norm(std::vector{table});
      std::vector<nn::Parameter> all{table};
      CHECK(optim::clip_grad_norm_(all, norm / 2) == norm);
      CHECK(optim::gradient_norm(std::vector{table}) == doctest::Approx(norm / 2));
      CHECK((detail::row_gradient(table) == nullptr) == dense);
      optimizer->step();
    }
    return table.clone();
  };
  for (const Manifold& manifold : {Manifold(Euclidean()), Manifold(PoincareBall(-1.0))}) {
    for (const bool plain : {false, true}) {
      CHECK(same_bits(run(manifold, true, plain), run(manifold, false, plain)));
    }
  }
}

TEST_CASE("a bad entry in few rows is named by the table's row, and nothing changes") {
  nn::Parameter table(Tensor::ones(100, 2));
  ops::index_select(table, IndexTensor::from_values(1, 2, {40, 3}))
      .hadamard(Tensor(2, 2, {1.0F, NAN, 1.0F, 1.0F}))
      .sum()
      .backward();
  optim::Adam optimizer({table}, {.lazy = true});
  try {
    optimizer.step();
    FAIL_CHECK("nothing thrown");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("at (40, 1)") != std::string::npos);
  }
  CHECK(same_bits(table, Tensor::ones(100, 2)));
}

TEST_CASE("a tape's buffer is the gradient, clipped and stepped by as any other") {
  nn::Parameter p = parameter(1, PoincareBall(-1.0));
  nn::Parameter q = parameter(1, PoincareBall(-1.0));
  p.attach_tape(std::make_shared<Hypergrad>(-1.0, 0.1, 4, 3));
  p.tape()->accumulate_wave(*q.grad());
  for (nn::Parameter* x : {&p, &q}) {
    std::vector<nn::Parameter> one{*x};
    (void)optim::clip_grad_norm_(one, 0.1);
    optim::SGD(one).step();
  }
  CHECK(same_bits(p, q));
  optim::SGD({p}).zero_grad();
  CHECK(same_bits(p.tape()->buffer(), Tensor(4, 3)));
}
