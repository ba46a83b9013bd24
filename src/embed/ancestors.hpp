#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {

/// Lists of nodes, one a node, in compressed rows: node i's are ids[offsets[i]] up to
/// ids[offsets[i + 1]].
struct NodeRows {
  std::vector<std::int64_t> offsets;  ///< one more than nodes
  std::vector<std::int32_t> ids;

  [[nodiscard]] std::int64_t begin(std::int32_t node) const noexcept {
    return offsets[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] std::int64_t size(std::int32_t node) const noexcept {
    return offsets[static_cast<std::size_t>(node) + 1] - begin(node);
  }
  [[nodiscard]] std::span<const std::int32_t> row(std::int32_t node) const noexcept {
    return {ids.data() + begin(node), static_cast<std::size_t>(size(node))};
  }
};

/// Each node's parents or children, in the order of the edges.
[[nodiscard]] NodeRows rows_of_parents(const Hierarchy& hierarchy);
[[nodiscard]] NodeRows rows_of_children(const Hierarchy& hierarchy);

/// All nodes, parents before children (Kahn 1962); `invalid_value` naming a cycle.
[[nodiscard]] std::vector<std::int32_t> topological_order(std::string_view op,
                                                          const Hierarchy& hierarchy,
                                                          const NodeRows& parents);

/// Most pairs of a closure: as lists they take 2 GB, as edges of a Hierarchy 8 GB.
inline constexpr std::int64_t kMostPairs = 500'000'000;

/// Each node's ancestors, sorted by id.
using AncestorLists = NodeRows;

/// The closure as lists, at four bytes a pair and eight a node. Errors: `invalid_value` naming a
/// cycle; `out_of_memory` for more than `most` pairs, before the memory is taken.
[[nodiscard]] AncestorLists ancestors_of(std::string_view op, const Hierarchy& hierarchy,
                                         std::int64_t most = kMostPairs);

}  // namespace spiraltorch
