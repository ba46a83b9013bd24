#include "spiraltorch/nn/module.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/recording.hpp"

namespace spiraltorch::nn {
namespace {

std::string indented(std::string_view block) {
  std::string out;
  for (const char c : block) {
    out.push_back(c);
    if (c == '\n') out.append("  ");
  }
  return out;
}

// What replaces a parameter's elements, after the checks of one entry.
Tensor checked_value(const std::string& name, const Parameter& parameter, const Tensor& value) {
  check_same_shape("load_state_dict", name, value.shape(), parameter.shape());
  if (ops::first_non_finite(value) >= 0) {
    fail(Errc::non_finite, "load_state_dict",
         text(name, ": got a non-finite entry, expected finite ones"));
  }
  check_inplace("load_state_dict", parameter);
  const Tensor here = value.detach().to(parameter.device());
  const auto* ball = std::get_if<PoincareBall>(&parameter.manifold());
  return ball == nullptr ? here : ball->project(here);
}

void check_names(const std::map<std::string_view, const Tensor*>& given,
                 const NamedParameters& own) {
  std::set<std::string_view> known;
  for (const auto& [name, parameter] : own) {
    known.insert(name);
    if (given.contains(name)) continue;
    fail(Errc::invalid_value, "load_state_dict",
         text("names: got no '", name, "', expected every parameter's"));
  }
  for (const auto& [name, value] : given) {
    if (known.contains(name)) continue;
    fail(Errc::invalid_value, "load_state_dict",
         text("names: got '", name, "', expected only the parameters'"));
  }
}

}  // namespace

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> out;
  for (const auto& [name, parameter] : named_parameters()) out.push_back(parameter);
  return out;
}

NamedParameters Module::named_parameters() const {
  NamedParameters out;
  std::set<std::uintptr_t> seen;
  const auto take = [&](std::string name, const Parameter& parameter) {
    if (seen.insert(parameter.identity()).second) out.emplace_back(std::move(name), parameter);
  };
  for (const Entry& entry : entries_) {
    if (const auto* parameter = std::get_if<Parameter>(&entry.part)) {
      take(entry.name, *parameter);
      continue;
    }
    for (const auto& [name, parameter] : std::get<ModulePtr>(entry.part)->named_parameters()) {
      take(text(entry.name, '.', name), parameter);
    }
  }
  return out;
}

std::vector<ModulePtr> Module::children() const {
  std::vector<ModulePtr> out;
  for (const Entry& entry : entries_) {
    const auto* module = std::get_if<ModulePtr>(&entry.part);
    if (module == nullptr) continue;
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const ModulePtr& m) { return m.get() == module->get(); });
    if (!known) out.push_back(*module);
  }
  return out;
}

std::vector<Module*> Module::exclusive_children() const {
  std::vector<Module*> out;
  for (const Entry& entry : entries_) {
    const auto* module = std::get_if<ModulePtr>(&entry.part);
    if (module != nullptr && module->use_count() == 1) out.push_back(module->get());
  }
  return out;
}

std::vector<ModulePtr> Module::descendants() const {
  std::vector<ModulePtr> out;
  std::set<const Module*> seen;
  auto pending = children();
  std::reverse(pending.begin(), pending.end());
  while (!pending.empty()) {
    const ModulePtr next = pending.back();
    pending.pop_back();
    if (!seen.insert(next.get()).second) continue;
    out.push_back(next);
    const auto below = next->children();
    pending.insert(pending.end(), below.rbegin(), below.rend());
  }
  return out;
}

void Module::train(bool mode) {
  training_ = mode;
  for (const ModulePtr& module : descendants()) module->training_ = mode;
}

void Module::zero_grad() {
  for (Parameter& parameter : parameters()) parameter.zero_grad();
}

StateDict Module::state_dict() const {
  const NoGrad guard;
  StateDict out;
  for (const auto& [name, parameter] : named_parameters())
    out.emplace_back(name, parameter.clone());
  return out;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  const NoGrad guard;
  std::map<std::string_view, const Tensor*> given;
  for (const auto& [name, value] : state) {
    if (given.emplace(name, &value).second) continue;
    fail(Errc::invalid_value, "load_state_dict",
         text("names: got '", name, "' twice, expected each name once"));
  }
  const NamedParameters own = named_parameters();
  if (strict) check_names(given, own);
  std::vector<std::pair<Parameter, Tensor>> changes;
  for (const auto& [name, parameter] : own) {
    const auto found = given.find(name);
    if (found == given.end()) continue;
    changes.emplace_back(parameter, checked_value(name, parameter, *found->second));
  }
  for (auto& [parameter, value] : changes) parameter.copy_(value);
}

Tensor Module::backward(const Tensor& input, const Tensor& grad_output) {
  const Recording recording;
  Tensor leaf = input.detach();
  leaf.requires_grad_();
  const Tensor output = forward(leaf);
  check_same_shape("backward", "grad_output", grad_output.shape(), output.shape());
  if (output.requires_grad()) output.backward(grad_output.detach());
  const auto gradient = leaf.grad();
  return gradient ? *gradient
                  : Tensor(input.rows(), input.cols(),
                           {.requires_grad = false, .device = input.device()});
}

std::string Module::repr() const {
  std::string parts;
  for (const Entry& entry : entries_) {
    const auto* module = std::get_if<ModulePtr>(&entry.part);
    if (module == nullptr) continue;
    parts += text("\n  ", entry.name, "=", indented((*module)->repr()), ",");
  }
  return text(type_name(), "(", parts, parts.empty() ? ")" : "\n)");
}

void Module::check_child(std::string_view op, const ModulePtr& module) const {
  require(module != nullptr, Errc::invalid_value, op, "module: got none, expected one");
  const auto below = module->descendants();
  const bool cycle =
      module.get() == this || std::any_of(below.begin(), below.end(),
                                          [this](const ModulePtr& m) { return m.get() == this; });
  require(!cycle, Errc::invalid_value, op,
          "module: got one that holds this module, expected no cycle");
}

void Module::put(std::string_view op, std::string_view name,
                 std::variant<Parameter, ModulePtr> part) {
  require(!name.empty(), Errc::invalid_value, op, "name: got an empty one, expected a name");
  const auto same = [&](const Entry& entry) { return entry.name == name; };
  const auto found = std::find_if(entries_.begin(), entries_.end(), same);
  if (found != entries_.end()) {
    found->part = std::move(part);
  } else {
    entries_.push_back({std::string(name), std::move(part)});
  }
}

void Module::register_parameter(std::string_view name, const Parameter& parameter) {
  put("register_parameter", name, parameter);
}

void Module::register_module(std::string_view name, const ModulePtr& module) {
  check_child("register_module", module);
  put("register_module", name, module);
}

bool Module::unregister(std::string_view name) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.name == name; }) > 0;
}

}  // namespace spiraltorch::nn
