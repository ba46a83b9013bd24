#pragma once

#include <cstdint>

#include "spiraltorch/embed/embedding.hpp"

namespace spiraltorch {

/// The options with every choice made; defaults by size as docs/embedding.md derives them.
struct Schedule {
  std::int64_t epochs;
  std::int64_t burn_in;
  std::int64_t batch;
  std::int64_t negatives;
  double lr;
  double burn_in_factor;
  double init_radius;
  bool decay;  ///< linear to zero after burn-in

  Schedule(const EmbeddingOptions& o, std::int64_t nodes);
  [[nodiscard]] std::int64_t total() const { return burn_in + epochs; }
  /// Step of an epoch, counted from 0.
  [[nodiscard]] double rate(std::int64_t epoch) const;
};

/// Throws unless every option is in its range.
void check_embedding_options(const EmbeddingOptions& options);

/// (nodes, dim) starting points in the unit ball.
[[nodiscard]] Tensor initial_points(const Hierarchy& closure, const EmbeddingOptions& options,
                                    const Schedule& schedule);

}  // namespace spiraltorch
