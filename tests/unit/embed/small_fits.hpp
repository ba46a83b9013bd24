#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "spiraltorch/embed/embedding.hpp"
#include "trees.hpp"

// Embeddings of small trees in a moment.
namespace spiraltorch {

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
