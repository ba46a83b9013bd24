#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/optim/scheduler.hpp>
#include <string>
#include <utility>

#include "optim.hpp"

using namespace nb::literals;
using st::optim::Interval;
using st::optim::Optimizer;
using st::optim::Scheduler;
using Target = std::shared_ptr<Optimizer>;

namespace {

Interval interval_of(const std::string& name) {
  if (name == "epoch") return Interval::epoch;
  if (name == "step") return Interval::step;
  st::fail(st::Errc::invalid_value, "interval",
           st::text("interval: got '", name, "', expected 'epoch' or 'step'"));
}

// Constructs in `self` and attaches to the optimiser, if one is given.
template <class Schedule, class... Arguments>
void construct(Schedule* self, const Target& target, Arguments&&... arguments) {
  new (self) Schedule(std::forward<Arguments>(arguments)...);
  if (target == nullptr) return;
  try {
    static_cast<Scheduler*>(self)->attach(target);
  } catch (...) {
    self->~Schedule();
    throw;
  }
}

nb::dict state_of(const Scheduler& scheduler) {
  const auto& state = scheduler.state();
  nb::dict out;
  out["t"] = state.t;
  out["factor"] = state.factor;
  out["best"] = nb::cast(state.best);
  out["bad"] = state.bad;
  out["cooldown"] = state.cooldown;
  out["base_rates"] = nb::cast(state.base_rates);
  return out;
}

template <class T>
T entry(const nb::dict& state, const char* key) {
  if (!state.contains(key)) {
    st::fail(st::Errc::invalid_value, "load_state_dict",
             st::text("state: got none of '", key, "', expected what state_dict() gives"));
  }
  T out{};
  if (!nb::try_cast(state[key], out)) {
    throw nb::type_error(st::text("[load_state_dict] ", key, ": got another type").c_str());
  }
  return out;
}

void load_state(Scheduler& scheduler, const nb::dict& state) {
  scheduler.load_state({.t = entry<std::int64_t>(state, "t"),
                        .factor = entry<double>(state, "factor"),
                        .best = entry<std::optional<double>>(state, "best"),
                        .bad = entry<std::int64_t>(state, "bad"),
                        .cooldown = entry<std::int64_t>(state, "cooldown"),
                        .base_rates = entry<std::vector<double>>(state, "base_rates")});
}

void bind_base(nb::module_& m) {
  nb::class_<Scheduler>(m, "Scheduler", "Sets rate = base·f(t); t counts from 0.")
      .def_prop_ro("factor", &Scheduler::factor, "f(t).")
      .def_prop_ro(
          "interval",
          [](const Scheduler& s) { return s.interval() == Interval::step ? "step" : "epoch"; },
          "How often fit calls step: \"epoch\" or \"step\".")
      .def_prop_ro("needs_metric", &Scheduler::needs_metric, "Whether step wants a metric.")
      .def("step", &Scheduler::step, "metric"_a = nb::none(), "Advances t and sets the rates.")
      .def("attach", nb::overload_cast<const Target&>(&Scheduler::attach), "optimizer"_a,
           "Reads the base rates now, and sets rate = base·f(t) now and at each step.")
      .def("state_dict", state_of, "t, factor, best, bad, cooldown, base_rates.")
      .def("load_state_dict", load_state, "state"_a, "Checks, writes and sets the rates.")
      .def("__repr__", &Scheduler::repr);
}

void bind_functions_of_t(nb::module_& m) {
  using namespace st::optim;
  nb::class_<ConstantLR, Scheduler>(m, "ConstantLR", nb::is_final(), "f = 1.")
      .def(
          "__init__",
          [](ConstantLR* self, const std::string& interval, const Target& optimizer) {
            construct(self, optimizer, interval_of(interval));
          },
          nb::kw_only(), "interval"_a = "epoch", "optimizer"_a = nb::none());
  nb::class_<StepLR, Scheduler>(m, "StepLR", nb::is_final(), "gamma^floor(t/step_size).")
      .def(
          "__init__",
          [](StepLR* self, std::int64_t step_size, double gamma, const std::string& interval,
             const Target& optimizer) {
            construct(self, optimizer, step_size, gamma, interval_of(interval));
          },
          "step_size"_a, "gamma"_a = 0.1, nb::kw_only(), "interval"_a = "epoch",
          "optimizer"_a = nb::none());
  nb::class_<CosineLR, Scheduler>(m, "CosineLR", nb::is_final(),
                                  "Half a cosine from 1 to floor at t = total, then floor.")
      .def(
          "__init__",
          [](CosineLR* self, std::int64_t total, double floor, const std::string& interval,
             const Target& optimizer) {
            construct(self, optimizer, total, floor, interval_of(interval));
          },
          "total"_a, "floor"_a = 0.0, nb::kw_only(), "interval"_a = "epoch",
          "optimizer"_a = nb::none());
  nb::class_<WarmupLR, Scheduler>(m, "WarmupLR", nb::is_final(),
                                  "From start to 1 in steps, then another schedule, or 1.")
      .def(
          "__init__",
          [](WarmupLR* self, std::int64_t steps, double start,
             const std::shared_ptr<Scheduler>& then, const std::string& interval,
             const Target& optimizer) {
            construct(self, optimizer, steps, start, then, interval_of(interval));
          },
          "steps"_a, "start"_a = 0.0, "then"_a = nb::none(), nb::kw_only(), "interval"_a = "epoch",
          "optimizer"_a = nb::none());
  nb::class_<BurnInLR, Scheduler>(m, "BurnInLR", nb::is_final(), "factor for t < steps, then 1.")
      .def(
          "__init__",
          [](BurnInLR* self, std::int64_t steps, double factor, const std::string& interval,
             const Target& optimizer) {
            construct(self, optimizer, steps, factor, interval_of(interval));
          },
          "steps"_a, "factor"_a = 0.1, nb::kw_only(), "interval"_a = "epoch",
          "optimizer"_a = nb::none());
}

}  // namespace

void bind_optim_schedulers(nb::module_& m) {
  using st::optim::PlateauLR;
  bind_base(m);
  bind_functions_of_t(m);
  nb::class_<PlateauLR, Scheduler>(m, "PlateauLR", nb::is_final(),
                                   "f times factor when a metric no longer falls.")
      .def(
          "__init__",
          [](PlateauLR* self, double factor, std::int64_t patience, double threshold,
             std::int64_t cooldown, double floor, const std::string& interval,
             const Target& optimizer) {
            construct(self, optimizer,
                      st::optim::PlateauOptions{factor, patience, threshold, cooldown, floor},
                      interval_of(interval));
          },
          "factor"_a = 0.1, "patience"_a = 10, "threshold"_a = 1e-4, "cooldown"_a = 0,
          "floor"_a = 0.0, nb::kw_only(), "interval"_a = "epoch", "optimizer"_a = nb::none());
}
