#include "optim.hpp"

#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/optim/clip.hpp>
#include <spiraltorch/optim/optimizer.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace nb::literals;
using st::nn::Parameter;
using st::optim::Optimizer;
using st::optim::ParamGroup;
using st::optim::Rule;

namespace {

using Betas = std::pair<double, double>;
using Parameters = std::vector<Parameter>;

// A group as a mapping, alive: its rate is read and written where the optimiser has it.
struct GroupView {
  std::shared_ptr<Optimizer> optimizer;
  std::size_t index;
  [[nodiscard]] const ParamGroup& group() const { return optimizer->param_groups()[index]; }
};

std::vector<std::string> keys_of(Rule rule) {
  if (rule == Rule::sgd) return {"params", "lr", "momentum", "weight_decay", "nesterov"};
  return {"params", "lr", "betas", "eps", "weight_decay", "amsgrad", "lazy"};
}

bool has_key(Rule rule, const std::string& key) {
  const auto keys = keys_of(rule);
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

template <class T>
T as(nb::handle value, const std::string& key) {
  T out{};
  if (!nb::try_cast(value, out)) {
    throw nb::type_error(st::text("[param_groups] ", key, ": got a value of another type").c_str());
  }
  return out;
}

Parameter one_parameter(nb::handle object) {
  Parameter* found = nullptr;
  if (!nb::try_cast(object, found, false) || found == nullptr) {
    throw nb::type_error("[optim] params: expected Parameters, or dicts with \"params\"");
  }
  return *found;
}

Parameters parameters_of(nb::handle object) {
  Parameters out;
  if (nb::isinstance<Parameter>(object)) return {one_parameter(object)};
  if (!nb::isinstance<nb::sequence>(object)) {
    throw nb::type_error("[optim] params: expected a sequence of Parameters");
  }
  for (const nb::handle item : nb::borrow<nb::sequence>(object)) out.push_back(one_parameter(item));
  return out;
}

void set_option(ParamGroup& group, const std::string& key, nb::handle value) {
  if (key == "lr") group.lr = as<double>(value, key);
  if (key == "momentum") group.momentum = as<double>(value, key);
  if (key == "weight_decay") group.weight_decay = as<double>(value, key);
  if (key == "nesterov") group.nesterov = as<bool>(value, key);
  if (key == "eps") group.eps = as<double>(value, key);
  if (key == "amsgrad") group.amsgrad = as<bool>(value, key);
  if (key == "lazy") group.lazy = as<bool>(value, key);
  if (key == "params") group.params = parameters_of(value);
  if (key == "betas") std::tie(group.beta1, group.beta2) = as<Betas>(value, key);
}

ParamGroup group_of(Rule rule, ParamGroup group, const nb::dict& options) {
  if (!options.contains("params")) {
    st::fail(st::Errc::invalid_value, "optim", "group: got no \"params\", expected parameters");
  }
  for (const auto& [name, value] : options) {
    const auto key = as<std::string>(name, "key");
    if (!has_key(rule, key)) {
      st::fail(st::Errc::invalid_value, "optim",
               st::text("group: got the key '", key, "', expected settings of the rule"));
    }
    set_option(group, key, value);
  }
  return group;
}

// Parameters as one group, or a group a dict.
std::vector<ParamGroup> groups_of(Rule rule, const nb::sequence& params, const ParamGroup& base) {
  std::vector<ParamGroup> groups;
  Parameters plain;
  for (const nb::handle item : params) {
    if (nb::isinstance<nb::dict>(item)) {
      groups.push_back(group_of(rule, base, nb::borrow<nb::dict>(item)));
    } else {
      plain.push_back(one_parameter(item));
    }
  }
  if (groups.empty()) {
    groups.push_back(base);
    groups.front().params = std::move(plain);
  } else if (!plain.empty()) {
    throw nb::type_error("[optim] params: expected Parameters or dicts, not both");
  }
  return groups;
}

nb::object option(const GroupView& view, const std::string& key) {
  const ParamGroup& g = view.group();
  if (!has_key(view.optimizer->rule(), key)) throw nb::key_error(key.c_str());
  if (key == "params") return nb::cast(g.params);
  if (key == "lr") return nb::cast(g.lr);
  if (key == "momentum") return nb::cast(g.momentum);
  if (key == "weight_decay") return nb::cast(g.weight_decay);
  if (key == "nesterov") return nb::cast(g.nesterov);
  if (key == "betas") return nb::cast(Betas{g.beta1, g.beta2});
  if (key == "eps") return nb::cast(g.eps);
  if (key == "amsgrad") return nb::cast(g.amsgrad);
  return nb::cast(g.lazy);
}

void set_rate(const GroupView& view, const std::string& key, nb::handle value) {
  if (key != "lr") {
    st::fail(st::Errc::invalid_value, "param_groups",
             st::text("key: got '", key, "', expected 'lr': other settings are fixed"));
  }
  view.optimizer->set_learning_rate(view.index, as<double>(value, key));
}

nb::dict as_dict(const GroupView& view) {
  nb::dict out;
  for (const auto& key : keys_of(view.optimizer->rule())) {
    out[nb::str(key.c_str())] = option(view, key);
  }
  return out;
}

nb::list groups(const std::shared_ptr<Optimizer>& optimizer) {
  nb::list out;
  for (std::size_t i = 0; i < optimizer->param_groups().size(); ++i) {
    out.append(nb::cast(GroupView{optimizer, i}));
  }
  return out;
}

nb::dict state_of(const Optimizer& optimizer) {
  const auto state = [&] {
    const nb::gil_scoped_release unlock;
    return optimizer.state();
  }();
  nb::dict out;
  out["step"] = state.step;
  out["learning_rates"] = nb::cast(state.learning_rates);
  out["slots"] = nb::cast(state.slots);
  return out;
}

template <class T>
T entry(const nb::dict& state, const char* key) {
  if (!state.contains(key)) {
    st::fail(st::Errc::invalid_value, "load_state_dict",
             st::text("state: got none of '", key, "', expected step, learning_rates, slots"));
  }
  return as<T>(state[key], key);
}

void load_state(Optimizer& optimizer, const nb::dict& state) {
  st::optim::OptimizerState next;
  next.step = entry<std::int64_t>(state, "step");
  next.learning_rates = entry<std::vector<double>>(state, "learning_rates");
  for (const nb::handle item : entry<nb::list>(state, "slots")) {
    auto& slots = next.slots.emplace_back();
    for (const auto& [name, value] : as<nb::dict>(item, "slots")) {
      st::Tensor* tensor = nullptr;
      if (!nb::try_cast(value, tensor, false) || tensor == nullptr) {
        throw nb::type_error("[load_state_dict] slots: expected dicts of str to Tensor");
      }
      slots.emplace(as<std::string>(name, "slots"), *tensor);
    }
  }
  const nb::gil_scoped_release unlock;
  optimizer.load_state(next);
}

void bind_group(nb::module_& m) {
  nb::class_<GroupView>(m, "ParamGroup",
                        "Settings of a group of parameters as a mapping; \"lr\" may be set.")
      .def("__getitem__", option, "key"_a)
      .def("__setitem__", set_rate, "key"_a, "value"_a)
      .def("__contains__", [](const GroupView& v,
                              const std::string& key) { return has_key(v.optimizer->rule(), key); })
      .def("__len__", [](const GroupView& v) { return keys_of(v.optimizer->rule()).size(); })
      .def("__iter__", [](const GroupView& v) { return nb::iter(as_dict(v)); })
      .def("keys", [](const GroupView& v) { return as_dict(v).keys(); })
      .def("values", [](const GroupView& v) { return as_dict(v).values(); })
      .def("items", [](const GroupView& v) { return as_dict(v).items(); })
      .def("__repr__", [](const GroupView& v) { return nb::repr(as_dict(v)); });
}

void bind_base(nb::module_& m) {
  nb::class_<Optimizer>(
      m, "Optimizer", "Changes parameters by their gradients, in place, each on its own manifold.")
      .def("step", &Optimizer::step, Unlocked(),
           "One step; ValueError unless gradients are finite.")
      .def("zero_grad", &Optimizer::zero_grad, Unlocked(), "Drops all gradients.")
      .def_prop_ro("param_groups", groups, "A list of mappings; \"lr\" may be written.")
      .def("learning_rate", &Optimizer::learning_rate, "group"_a = 0, "The rate of a group.")
      .def("set_learning_rate", &Optimizer::set_learning_rate, "group"_a, "lr"_a,
           "Finite, at least 0.")
      .def("state_dict", state_of, "Copies: step, learning_rates, slots (a dict a parameter).")
      .def("load_state_dict", load_state, "state"_a, "Checks everything, then writes.")
      .def("__repr__", &Optimizer::repr);
}

template <class Own, class Base>
void bind_sgd(nb::module_& m, const char* name, const char* doc) {
  nb::class_<Own, Base>(m, name, doc)
      .def(
          "__init__",
          [](Own* self, const nb::sequence& params, double lr, double momentum, double decay,
             bool nesterov) {
            ParamGroup base{.params = {}, .lr = lr};
            base.momentum = momentum;
            base.weight_decay = decay;
            base.nesterov = nesterov;
            new (self) Own(groups_of(Rule::sgd, params, base));
          },
          "params"_a, "lr"_a = 0.01, "momentum"_a = 0.0, "weight_decay"_a = 0.0,
          "nesterov"_a = false);
}

template <class Own, class Base>
void bind_adam(nb::module_& m, const char* name, double default_decay, const char* doc) {
  nb::class_<Own, Base>(m, name, doc)
      .def(
          "__init__",
          [](Own* self, const nb::sequence& params, double lr, Betas betas, double eps,
             double decay, bool amsgrad, bool lazy) {
            ParamGroup base{.params = {}, .lr = lr};
            std::tie(base.beta1, base.beta2) = betas;
            base.eps = eps;
            base.weight_decay = decay;
            base.amsgrad = amsgrad;
            base.lazy = lazy;
            new (self) Own(groups_of(Rule::adam, params, base));
          },
          "params"_a, "lr"_a = 1e-3, "betas"_a = Betas{0.9, 0.999}, "eps"_a = 1e-8,
          "weight_decay"_a = default_decay, "amsgrad"_a = false, "lazy"_a = false);
}

}  // namespace

void bind_optim(nb::module_& m) {
  bind_group(m);
  bind_base(m);
  bind_sgd<st::optim::SGD, Optimizer>(
      m, "SGD", "w <- w - lr·d with momentum; on the ball along geodesics (Bonnabel 2013).");
  bind_adam<st::optim::Adam, Optimizer>(m, "Adam", 0.0,
                                        "Kingma & Ba 2015; on the ball Bécigneul & Ganea 2019.");
  bind_adam<st::optim::AdamW, Optimizer>(
      m, "AdamW", 0.01, "Adam with decoupled weight decay (Loshchilov & Hutter 2019).");
  bind_sgd<st::optim::RiemannianSGD, st::optim::SGD>(m, "RiemannianSGD",
                                                     "SGD under the literature's name.");
  bind_adam<st::optim::RiemannianAdam, st::optim::Adam>(m, "RiemannianAdam", 0.0,
                                                        "Adam under the literature's name.");
  m.def(
      "gradient_norm",
      [](const Parameters& parameters) { return st::optim::gradient_norm(parameters); },
      "parameters"_a, Unlocked(), "The norm of all gradients, each on its own manifold.");
  m.def(
      "clip_grad_norm_",
      [](Parameters parameters, double max_norm) {
        return st::optim::clip_grad_norm_(parameters, max_norm);
      },
      "parameters"_a, "max_norm"_a, Unlocked(),
      "Scales gradients to a norm of at most max_norm; returns the norm before.");
  bind_optim_schedulers(m);
}
