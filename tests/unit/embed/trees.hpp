#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "spiraltorch/embed/hierarchy.hpp"

// Trees by their number of nodes; node 0 is the root.
namespace spiraltorch {

/// A complete tree, breadth first.
inline Hierarchy tree(std::int64_t nodes, std::int64_t children = 3) {
  std::vector<std::int64_t> parents;
  for (std::int64_t i = 0; i < nodes; ++i) parents.push_back(i == 0 ? -1 : (i - 1) / children);
  return Hierarchy::from_parents(parents);
}

inline Hierarchy binary_tree(std::int64_t nodes) { return tree(nodes, 2); }
inline Hierarchy star(std::int64_t nodes) { return tree(nodes, nodes); }
inline Hierarchy chain(std::int64_t nodes) { return tree(nodes, 1); }

/// Every node's parent is any node before it.
inline Hierarchy random_tree(std::int64_t nodes) {
  std::mt19937 random(3);
  std::vector<std::int64_t> parents{-1};
  for (std::int64_t i = 1; i < nodes; ++i) {
    parents.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(i)));
  }
  return Hierarchy::from_parents(parents);
}

}  // namespace spiraltorch
