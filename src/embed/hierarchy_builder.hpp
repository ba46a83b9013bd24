#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "embed/name_table.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {

/// Places of distinct edges by their two ids: four bytes a slot, open addressing.
class EdgeTable {
 public:
  /// Place of an edge between these nodes in `edges`, or -1.
  [[nodiscard]] std::int64_t find(const std::vector<Edge>& edges, std::int32_t child,
                                  std::int32_t parent) const noexcept;
  /// Takes note of the last one of `edges`, which `find` did not find.
  void add_last(const std::vector<Edge>& edges);

 private:
  [[nodiscard]] std::size_t probe(const std::vector<Edge>& edges, std::int32_t child,
                                  std::int32_t parent) const noexcept;
  std::vector<std::uint32_t> slots_;  // place + 1; 0: free
};

/// Collects edges into a Hierarchy: interns names, merges duplicates, drops self-edges.
class HierarchyBuilder {
 public:
  explicit HierarchyBuilder(std::string_view op) : op_(op), names_(std::make_shared<NameTable>()) {}

  /// Room for so many nodes and edges in one step.
  void reserve(std::size_t nodes, std::size_t edges);
  std::int32_t node(std::string_view name);
  /// `where` says in messages which edge this is, e.g. "line 7".
  void edge(std::string_view child, std::string_view parent, double weight, std::string_view where,
            std::int64_t number);
  /// Between known nodes.
  void edge(std::int32_t child, std::int32_t parent, double weight = 1.0);
  /// The same where the caller knows that no such edge was added.
  void distinct_edge(std::int32_t child, std::int32_t parent, double weight = 1.0);
  /// `empty_input` if nothing was added.
  [[nodiscard]] Hierarchy finish();

 private:
  std::string_view op_;
  Hierarchy out_;
  std::shared_ptr<NameTable> names_;
  EdgeTable seen_;
};

}  // namespace spiraltorch
