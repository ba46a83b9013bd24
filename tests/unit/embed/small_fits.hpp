#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "spiraltorch/embed/embedding.hpp"

// Small trees, and embeddings of them in a moment.
namespace spiraltorch {

/// A complete tree, breadth first.
inline Hierarchy tree(std::int64_t nodes, std::int64_t children = 3) {
  std::vector<std::int64_t> parents;
  for (std::int64_t i = 0; i < nodes; ++i) parents.push_back(i == 0 ? -1 : (i - 1) / children);
  return Hierarchy::from_parents(parents);
}

inline EmbeddingOptions quick() {
  EmbeddingOptions o;
  o.dim = 4;
  o.epochs = 12;
  o.burn_in = 2;
  o.seed = 6;
  return o;
}

inline HierarchyEmbedding fitted(const Hierarchy& h, const EmbeddingOptions& o) {
  HierarchyEmbedding e(o);
  CHECK(e.fit(h));
  return e;
}

inline bool all_finite(const HierarchyEmbedding& e) {
  const auto values = e.vectors().data();
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace spiraltorch
