#include "spiraltorch/nn/sequential.hpp"

#include <set>

#include "spiraltorch/base/text.hpp"
#include "spiraltorch/nn/activation.hpp"
#include "spiraltorch/nn/linear.hpp"

namespace spiraltorch::nn {

Sequential::Sequential(const std::vector<ModulePtr>& layers) {
  for (const ModulePtr& layer : layers) append(layer);
}

// Linear and a Relu behind it are one operation: the same bits, without the sums in between.
Tensor Sequential::forward(const Tensor& input) {
  Tensor x = input;
  for (std::size_t i = 0; i < size(); ++i) {
    const ModulePtr layer = std::get<ModulePtr>(entries()[i].part);
    const auto* linear = dynamic_cast<const Linear*>(layer.get());
    if (linear == nullptr) {
      x = layer->forward(x);
      continue;
    }
    const bool relu =
        i + 1 < size() &&
        dynamic_cast<const Relu*>(std::get<ModulePtr>(entries()[i + 1].part).get()) != nullptr;
    x = linear->forward(x, relu);
    if (relu) ++i;
  }
  return x;
}

void Sequential::append(const ModulePtr& layer) {
  check_child("append", layer);
  register_module(text(size()), layer);
}

std::vector<ModulePtr> Sequential::layers() const {
  std::vector<ModulePtr> out;
  for (const Entry& entry : entries()) out.push_back(std::get<ModulePtr>(entry.part));
  return out;
}

NamedParameters Sequential::named_parameters() const {
  NamedParameters plain;
  NamedParameters prefixed;
  std::set<std::uintptr_t> seen;
  std::set<std::string> names;
  for (const Entry& entry : entries()) {
    for (const auto& [name, parameter] : std::get<ModulePtr>(entry.part)->named_parameters()) {
      if (!seen.insert(parameter.identity()).second) continue;
      names.insert(name);
      plain.emplace_back(name, parameter);
      prefixed.emplace_back(text(entry.name, '.', name), parameter);
    }
  }
  return names.size() == plain.size() ? plain : prefixed;
}

std::string Sequential::repr() const {
  if (size() == 0) return "Sequential()";
  std::string out = "Sequential([";
  for (const ModulePtr& layer : layers()) {
    out += "\n  ";
    for (const char c : layer->repr()) {
      out.push_back(c);
      if (c == '\n') out += "  ";
    }
    out += ',';
  }
  return out + "\n])";
}

}  // namespace spiraltorch::nn
