#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"

namespace spiraltorch::nn {

/// Layers one after the other; none is the identity. Keeps its children's parameter names where
/// they are pairwise distinct; otherwise every one gets the prefix `i.`, i the layer's position.
class SPIRALTORCH_API Sequential final : public Module {
 public:
  explicit Sequential(const std::vector<ModulePtr>& layers = {});

  Tensor forward(const Tensor& input) override;
  void append(const ModulePtr& layer);
  [[nodiscard]] std::size_t size() const noexcept { return entries().size(); }
  /// In order, repeated ones repeatedly.
  [[nodiscard]] std::vector<ModulePtr> layers() const;
  [[nodiscard]] NamedParameters named_parameters() const override;
  [[nodiscard]] std::string repr() const override;
};

}  // namespace spiraltorch::nn
