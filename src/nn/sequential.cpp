#include "spiraltorch/nn/sequential.hpp"

#include <set>

#include "spiraltorch/base/text.hpp"

namespace spiraltorch::nn {

Sequential::Sequential(const std::vector<ModulePtr>& layers) {
  for (const ModulePtr& layer : layers) append(layer);
}

Tensor Sequential::forward(const Tensor& input) {
  Tensor x = input;
  for (const ModulePtr& layer : layers()) x = layer->forward(x);
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
