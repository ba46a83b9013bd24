#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "optim/checks.hpp"
#include "optim/gradient.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/optim/clip.hpp"
#include "spiraltorch/optim/optimizer.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

// Steps: all that can fail comes first, then one kernel a parameter.
namespace spiraltorch::optim {
namespace {

// The shape of a parameter's slot: a row on the ball has one second moment.
Shape slot_shape(const nn::Parameter& p, std::string_view slot) {
  const bool ball = std::holds_alternative<PoincareBall>(p.manifold());
  return {p.rows(), ball && slot.starts_with("second") ? 1 : p.cols()};
}

// The slots that a rule uses, in the order of the kernel's operands.
std::vector<std::string_view> slots_used(Rule rule, const ParamGroup& group) {
  if (rule == Rule::sgd) {
    if (group.momentum == 0.0) return {};
    return {"momentum"};
  }
  if (group.amsgrad) return {"first", "second", "second_max"};
  return {"first", "second"};
}

bool knows(Rule rule, std::string_view slot) {
  if (rule == Rule::sgd) return slot == "momentum";
  return slot == "first" || slot == "second" || slot == "second_max";
}

// The rows alone, where the others would not move.
std::shared_ptr<const detail::RowGradient> rows_of(Rule rule, const ParamGroup& group,
                                                   const nn::Parameter& p) {
  const bool idle = rule == Rule::sgd && group.momentum == 0.0 && group.weight_decay == 0.0;
  const bool skips = rule != Rule::sgd && group.lazy;
  return idle || skips ? detail::row_gradient(p) : nullptr;
}

}  // namespace

// One parameter of a step.
struct Optimizer::Work {
  const ParamGroup* group;
  nn::Parameter parameter;
  std::size_t index;  // in parameters()
  Tensor gradient;
  std::optional<IndexTensor> rows;  // of the parameter, where the gradient is of these alone
  Slots slots;

  void check_finite() const {
    const std::int64_t at = ops::first_non_finite(gradient);
    if (at < 0) return;
    const std::int64_t row = at / gradient.cols();
    const std::int64_t col = at % gradient.cols();
    fail(Errc::non_finite, "step",
         text("gradient of parameter ", index, ": got ", gradient.at(row, col), " at (",
              rows ? rows->at(0, row) : row, ", ", col, "), expected finite entries"));
  }
};

// The parameters with a gradient, their state made ready beside what is in force.
std::vector<Optimizer::Work> Optimizer::prepare(bool trusted) const {
  std::vector<Work> all;
  std::size_t index = 0;
  for (const ParamGroup& group : groups_) {
    for (const nn::Parameter& p : group.params) {
      const std::size_t at = index++;
      if (!p.requires_grad()) continue;
      if (const auto rows = rows_of(rule_, group, p)) {
        check_inplace("step", p);
        all.push_back({&group, p, at, rows->values, rows->rows, slots_[at]});
      } else if (const auto gradient = gradient_of(p)) {
        check_inplace("step", p);
        check_same_device("step", {&p, &*gradient});
        all.push_back({&group, p, at, *gradient, std::nullopt, slots_[at]});
      }
    }
  }
  // A device is asked once for all gradients, and again only to name what was found.
  const auto on_host = [](const Work& w) { return w.parameter.device() == DeviceId{}; };
  if (!trusted && !std::all_of(all.begin(), all.end(), on_host)) {
    std::vector<nn::Parameter> parameters;
    for (const Work& w : all) parameters.push_back(w.parameter);
    trusted = std::isfinite(gradient_norm(parameters));
  }
  for (Work& w : all) {
    if (!trusted) w.check_finite();
    for (const std::string_view slot : slots_used(rule_, *w.group)) {
      const auto found = w.slots.find(std::string(slot));
      const Shape shape = slot_shape(w.parameter, slot);
      const DeviceId device = w.parameter.device();
      Tensor ready = found != w.slots.end() ? found->second.to(device)
                                            : Tensor(shape.rows, shape.cols, {.device = device});
      w.slots.insert_or_assign(std::string(slot), std::move(ready));
    }
  }
  return all;
}

void Optimizer::run(bool trusted) {
  const NoGrad guard;
  std::vector<Work> all = prepare(trusted);
  const auto t = static_cast<double>(++steps_);
  for (Work& w : all) {
    const ParamGroup& g = *w.group;
    const bool adam = rule_ != Rule::sgd;
    const double kappa = -curvature_of(w.parameter.manifold());
    const std::array scalars{kappa,
                             g.lr,
                             g.weight_decay,
                             adam ? g.beta1 : g.momentum,
                             g.beta2,
                             g.eps,
                             1.0 - std::pow(g.beta1, t),
                             1.0 - std::pow(g.beta2, t)};
    const std::array<std::int64_t, 5> ints{adam, !adam && g.nesterov, rule_ == Rule::adamw,
                                           adam && g.lazy, w.rows.has_value()};
    std::vector<KernelOperand> in{detail::operand_of(w.gradient)};
    if (w.rows) in.push_back(w.rows->operand());
    std::vector<KernelOperand> out{detail::operand_of(w.parameter)};
    for (const std::string_view slot : slots_used(rule_, g)) {
      out.push_back(detail::operand_of(w.slots.at(std::string(slot))));
    }
    const bool ball = kappa > 0.0;
    launch(ball ? OpId::ball_optim_step : OpId::optim_step,
           {.in = in,
            .out = out,
            .scalars = std::span<const double>(scalars).subspan(ball ? 0 : 1),
            .ints = ints});
    slots_[w.index] = std::move(w.slots);
  }
}

void Optimizer::step() { run(false); }
void Optimizer::step_finite() { run(true); }

OptimizerState Optimizer::state() const {
  OptimizerState out{.step = steps_, .learning_rates = {}, .slots = {}};
  for (const ParamGroup& group : groups_) out.learning_rates.push_back(group.lr);
  const NoGrad guard;
  for (const Slots& slots : slots_) {
    Slots copies;
    for (const auto& [name, value] : slots) copies.emplace(name, value.clone());
    out.slots.push_back(std::move(copies));
  }
  return out;
}

void Optimizer::load_state(const OptimizerState& state) {
  constexpr std::string_view kName = "load_state_dict";
  const NoGrad guard;
  check_setting(kName, "step", static_cast<double>(state.step), state.step >= 0, ">= 0");
  if (state.learning_rates.size() != groups_.size() || state.slots.size() != slots_.size()) {
    fail(Errc::length_mismatch, kName,
         text("state: got ", state.learning_rates.size(), " groups and ", state.slots.size(),
              " parameters, expected ", groups_.size(), " and ", slots_.size()));
  }
  for (const double lr : state.learning_rates) check_setting(kName, "lr", lr, lr >= 0.0, ">= 0");
  const auto parameters = this->parameters();
  std::vector<Slots> next(slots_.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    for (const auto& [name, value] : state.slots[i]) {
      const std::string what = text("slot '", name, "' of parameter ", i);
      if (!knows(rule_, name)) {
        fail(Errc::invalid_value, kName,
             text(what, ": got one that ", name_, " does not have, expected ",
                  rule_ == Rule::sgd ? "momentum" : "first, second or second_max"));
      }
      check_same_shape(kName, what, value.shape(), slot_shape(parameters[i], name));
      if (ops::first_non_finite(value) >= 0) {
        fail(Errc::non_finite, kName,
             text(what, ": got an entry that is not finite, expected finite ones"));
      }
      next[i].emplace(name, value.detach().clone().to(parameters[i].device()));
    }
  }
  steps_ = state.step;
  for (std::size_t i = 0; i < groups_.size(); ++i) groups_[i].lr = state.learning_rates[i];
  slots_ = std::move(next);
}

}  // namespace spiraltorch::optim
