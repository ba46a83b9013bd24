#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {

/// Collects edges into a Hierarchy: interns names, merges duplicates, drops self-edges.
class HierarchyBuilder {
 public:
  explicit HierarchyBuilder(std::string_view op) : op_(op) {}

  std::int32_t node(std::string_view name);
  /// `where` says in messages which edge this is.
  void edge(std::string_view child, std::string_view parent, double weight,
            const std::string& where);
  /// Between known nodes.
  void edge(std::int32_t child, std::int32_t parent, double weight = 1.0);
  /// `empty_input` if nothing was added.
  [[nodiscard]] Hierarchy finish();

 private:
  std::string_view op_;
  Hierarchy out_;
  std::unordered_map<std::uint64_t, std::size_t> seen_;  // (child, parent) → edge
};

}  // namespace spiraltorch
