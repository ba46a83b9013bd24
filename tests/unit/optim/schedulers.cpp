#include "check_error.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "support.hpp"

using namespace optim_test;

TEST_CASE("a schedule sets base·f(t) on every group it is attached to") {
  const nn::Parameter a(Tensor(1, 1));
  const nn::Parameter b(Tensor(1, 1));
  auto optimizer = std::make_shared<optim::SGD>(std::vector{
      optim::ParamGroup{.params = {a}, .lr = 0.4}, optim::ParamGroup{.params = {b}, .lr = 1.0}});
  optim::WarmupLR scheduler(4, 0.0, nullptr, optim::Interval::step);
  CHECK(scheduler.interval() == optim::Interval::step);
  CHECK_FALSE(scheduler.needs_metric());
  scheduler.attach(optimizer);
  for (const double f : {0.25, 0.5, 0.75, 1.0, 1.0}) {
    CHECK(optimizer->learning_rate(0) == doctest::Approx(0.4 * f));
    CHECK(optimizer->learning_rate(1) == doctest::Approx(f));
    scheduler.step();
  }
}

TEST_CASE("rates of something else, and a state that is restored") {
  double rate = 2.0;
  const auto handle = [&rate] {
    return optim::RateHandle{[&rate] { return rate; }, [&rate](double v) { rate = v; }};
  };
  optim::StepLR first(2, 0.5);
  first.attach({handle()});
  for (int t = 0; t < 3; ++t) first.step();
  CHECK(rate == 1.0);
  optim::StepLR second(2, 0.5);
  second.attach({handle()});  // reads 1 as its base; the state knows better
  second.load_state(first.state());
  second.step();
  CHECK(rate == 0.5);
  auto wrong = first.state();
  wrong.base_rates = {1.0, 2.0};
  check_error(Errc::length_mismatch, [&] { second.load_state(wrong); });
  wrong = first.state();
  wrong.t = -1;
  check_error(Errc::invalid_value, [&] { second.load_state(wrong); });
  CHECK(second.state().t == 4);
}

TEST_CASE("a plateau needs a finite metric; a refused one leaves all as it was") {
  optim::PlateauLR scheduler({.factor = 0.5, .patience = 0});
  CHECK(scheduler.needs_metric());
  scheduler.step(1.0);
  check_error(Errc::invalid_value, [&] { scheduler.step(); });
  check_error(Errc::non_finite, [&] { scheduler.step(NAN); });
  CHECK(scheduler.state().t == 1);
  scheduler.step(1.0);
  CHECK(scheduler.factor() == 0.5);
}

TEST_CASE("settings of schedules out of range") {
  using namespace optim;
  check_error(Errc::invalid_value, [] { (void)StepLR(0); });
  check_error(Errc::invalid_value, [] { (void)StepLR(1, 0.0); });
  check_error(Errc::invalid_value, [] { (void)CosineLR(0); });
  check_error(Errc::invalid_value, [] { (void)CosineLR(5, 1.5); });
  check_error(Errc::invalid_value, [] { (void)WarmupLR(0); });
  check_error(Errc::invalid_value, [] { (void)BurnInLR(3, 0.0); });
  check_error(Errc::non_finite, [] { (void)BurnInLR(3, NAN); });
  check_error(Errc::invalid_value, [] { (void)PlateauLR({.factor = 1.0}); });
  check_error(Errc::unsupported, [] { (void)WarmupLR(2, 0.0, std::make_shared<PlateauLR>()); });
  CHECK(WarmupLR(2, 0.0, std::make_shared<CosineLR>(3)).repr() ==
        "WarmupLR(steps=2, start=0, then=CosineLR(total=3, floor=0, interval='epoch'), "
        "interval='epoch')");
}
