#include "spiraltorch/optim/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "optim/checks.hpp"

namespace spiraltorch::optim {
namespace {

void check_count(std::string_view op, std::string_view name, std::int64_t value,
                 std::int64_t least) {
  if (value >= least) return;
  fail(Errc::invalid_value, op, text(name, ": got ", value, ", expected >= ", least));
}

void check_fraction(std::string_view op, std::string_view name, double value) {
  check_setting(op, name, value, value >= 0.0 && value <= 1.0, "a number in [0, 1]");
}

}  // namespace

void Scheduler::step(std::optional<double> metric) {
  state_ = advanced(metric);
  set_rates();
}

SchedulerState Scheduler::advanced(std::optional<double> /*metric*/) const {
  SchedulerState next = state_;
  next.factor = factor_at(++next.t);
  return next;
}

void Scheduler::set_rates() const {
  for (std::size_t i = 0; i < rates_.size(); ++i) {
    rates_[i].set(state_.base_rates[i] * state_.factor);
  }
}

void Scheduler::attach(const std::shared_ptr<Optimizer>& optimizer) {
  require(optimizer != nullptr, Errc::invalid_value, "attach", "optimizer: got none, expected one");
  std::vector<RateHandle> rates;
  for (std::size_t i = 0; i < optimizer->param_groups().size(); ++i) {
    rates.push_back({[optimizer, i] { return optimizer->learning_rate(i); },
                     [optimizer, i](double lr) { optimizer->set_learning_rate(i, lr); }});
  }
  attach(std::move(rates));
}

void Scheduler::attach(std::vector<RateHandle> rates) {
  std::vector<double> base;
  for (const RateHandle& rate : rates) base.push_back(rate.get());
  rates_ = std::move(rates);
  state_.base_rates = std::move(base);
  set_rates();
}

void Scheduler::load_state(const SchedulerState& state) {
  constexpr std::string_view kName = "load_state_dict";
  check_count(kName, "t", state.t, 0);
  check_count(kName, "bad", state.bad, 0);
  check_count(kName, "cooldown", state.cooldown, 0);
  check_setting(kName, "factor", state.factor, state.factor >= 0.0, ">= 0");
  if (state.best) check_setting(kName, "best", *state.best, true, "");
  for (const double rate : state.base_rates) {
    check_setting(kName, "base_rates", rate, rate >= 0.0, ">= 0");
  }
  if (!rates_.empty() && !state.base_rates.empty() && state.base_rates.size() != rates_.size()) {
    fail(Errc::length_mismatch, kName,
         text("base_rates: got ", state.base_rates.size(), ", expected ", rates_.size()));
  }
  std::vector<double> base = state.base_rates.empty() ? state_.base_rates : state.base_rates;
  state_ = state;
  state_.base_rates = std::move(base);
  set_rates();
}

std::string Scheduler::end_of_repr() const {
  return interval_ == Interval::step ? "interval='step')" : "interval='epoch')";
}

ConstantLR::ConstantLR(Interval interval) : Scheduler(interval) { start(1.0); }
double ConstantLR::factor_at(std::int64_t /*t*/) const { return 1.0; }
std::string ConstantLR::repr() const { return "ConstantLR(" + end_of_repr(); }

StepLR::StepLR(std::int64_t step_size, double gamma, Interval interval)
    : Scheduler(interval), step_size_(step_size), gamma_(gamma) {
  check_count("StepLR", "step_size", step_size, 1);
  check_setting("StepLR", "gamma", gamma, gamma > 0.0, "> 0");
  start(1.0);
}
double StepLR::factor_at(std::int64_t t) const {
  return std::pow(gamma_, static_cast<double>(t / step_size_));
}
std::string StepLR::repr() const {
  return text("StepLR(step_size=", step_size_, ", gamma=", gamma_, ", ") + end_of_repr();
}

CosineLR::CosineLR(std::int64_t total, double floor, Interval interval)
    : Scheduler(interval), total_(total), floor_(floor) {
  check_count("CosineLR", "total", total, 1);
  check_fraction("CosineLR", "floor", floor);
  start(1.0);
}
double CosineLR::factor_at(std::int64_t t) const {
  if (t >= total_) return floor_;
  const double part = static_cast<double>(t) / static_cast<double>(total_);
  return floor_ + (1.0 - floor_) * (1.0 + std::cos(std::numbers::pi * part)) / 2.0;
}
std::string CosineLR::repr() const {
  return text("CosineLR(total=", total_, ", floor=", floor_, ", ") + end_of_repr();
}

WarmupLR::WarmupLR(std::int64_t steps, double start, std::shared_ptr<const Scheduler> then,
                   Interval interval)
    : Scheduler(interval), steps_(steps), start_(start), then_(std::move(then)) {
  check_count("WarmupLR", "steps", steps, 1);
  check_fraction("WarmupLR", "start", start);
  if (then_ != nullptr) (void)then_->factor_at(0);
  this->start(factor_at(0));
}
double WarmupLR::factor_at(std::int64_t t) const {
  if (t >= steps_) return then_ == nullptr ? 1.0 : then_->factor_at(t - steps_);
  return start_ + (1.0 - start_) * static_cast<double>(t + 1) / static_cast<double>(steps_);
}
std::string WarmupLR::repr() const {
  const std::string then = then_ == nullptr ? "None" : then_->repr();
  return text("WarmupLR(steps=", steps_, ", start=", start_, ", then=", then, ", ") + end_of_repr();
}

BurnInLR::BurnInLR(std::int64_t steps, double factor, Interval interval)
    : Scheduler(interval), steps_(steps), factor_(factor) {
  check_count("BurnInLR", "steps", steps, 1);
  check_setting("BurnInLR", "factor", factor, factor > 0.0, "> 0");
  start(factor);
}
double BurnInLR::factor_at(std::int64_t t) const { return t < steps_ ? factor_ : 1.0; }
std::string BurnInLR::repr() const {
  return text("BurnInLR(steps=", steps_, ", factor=", factor_, ", ") + end_of_repr();
}

PlateauLR::PlateauLR(const PlateauOptions& options, Interval interval)
    : Scheduler(interval), options_(options) {
  constexpr std::string_view kName = "PlateauLR";
  check_setting(kName, "factor", options.factor, options.factor > 0.0 && options.factor < 1.0,
                "a number in (0, 1)");
  check_count(kName, "patience", options.patience, 0);
  check_setting(kName, "threshold", options.threshold, options.threshold >= 0.0, ">= 0");
  check_count(kName, "cooldown", options.cooldown, 0);
  check_fraction(kName, "floor", options.floor);
  start(1.0);
}

double PlateauLR::factor_at(std::int64_t /*t*/) const {
  fail(Errc::unsupported, "PlateauLR",
       "factor of t: got a schedule that follows a metric, expected a function of t alone");
}

SchedulerState PlateauLR::advanced(std::optional<double> metric) const {
  require(metric.has_value(), Errc::invalid_value, "step",
          "metric: got none, expected the number that PlateauLR watches");
  check_setting("step", "metric", *metric, true, "");
  SchedulerState next = state();
  ++next.t;
  if (!next.best || *metric < *next.best - options_.threshold * std::abs(*next.best)) {
    next.best = *metric;
    next.bad = 0;
  } else {
    ++next.bad;
  }
  if (next.cooldown > 0) {
    --next.cooldown;
    next.bad = 0;
  }
  if (next.bad > options_.patience) {
    // A factor below the floor already is not raised to it.
    next.factor = std::max(next.factor * options_.factor, std::min(options_.floor, next.factor));
    next.bad = 0;
    next.cooldown = options_.cooldown;
  }
  return next;
}

std::string PlateauLR::repr() const {
  return text("PlateauLR(factor=", options_.factor, ", patience=", options_.patience,
              ", threshold=", options_.threshold, ", cooldown=", options_.cooldown,
              ", floor=", options_.floor, ", ") +
         end_of_repr();
}

}  // namespace spiraltorch::optim
