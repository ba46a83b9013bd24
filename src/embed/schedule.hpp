#pragma once

#include <cstdint>
#include <vector>

#include "embed/ancestors.hpp"
#include "spiraltorch/embed/embedding.hpp"

namespace spiraltorch {

/// How an epoch is run.
enum class EmbeddingMode : std::uint8_t { pools, hogwild, batch };

/// The options with every choice made; defaults by size as docs/embedding.md derives them.
struct Schedule {
  EmbeddingMode mode;
  std::int64_t epochs;
  std::int64_t burn_in;
  std::int64_t batch;
  std::int64_t negatives;
  std::int64_t local_negatives;
  std::int64_t pools;
  double lr;
  double burn_in_factor;
  double init_radius;
  double loss_power;
  double local_from;
  bool decay;  ///< linear to zero after burn-in

  Schedule(const EmbeddingOptions& o, std::int64_t nodes);
  [[nodiscard]] std::int64_t total() const { return burn_in + epochs; }
  /// Step of an epoch, counted from 0.
  [[nodiscard]] double rate(std::int64_t epoch) const;
  /// Local negatives of an epoch.
  [[nodiscard]] std::int64_t local(std::int64_t epoch) const;
};

/// Throws unless every option is in its range and the options go together.
void check_embedding_options(const EmbeddingOptions& options);

/// A spanning forest of the links: each node below its ancestor with the most ancestors.
struct Forest {
  std::vector<std::int32_t> parent;    ///< -1: root
  std::vector<std::int32_t> preorder;  ///< depth first, parents before children
  std::vector<std::int32_t> sizes;     ///< of the subtree of preorder[i], itself included

  /// `order` has parents before children.
  Forest(const NodeRows& links, const std::vector<std::int32_t>& order);
};

/// What a training reads of a hierarchy.
struct TrainingLinks {
  NodeRows links;  ///< ancestors or parents, sorted by id
  Forest forest;

  /// The closure, or the edges as given; `invalid_value` naming a cycle.
  TrainingLinks(std::string_view op, const Hierarchy& hierarchy, bool closure);
  [[nodiscard]] std::int64_t nodes() const { return std::ssize(links.offsets) - 1; }
};

/// A Euclidean table holds coordinates times this: the ball's machinery then ranks and measures
/// them as points so near the origin that the ball is flat to within 2⁻²⁰.
inline constexpr double kEuclideanUnit = 0x1p-20;

/// (nodes, dim) starting points in the unit ball, row by row; Euclidean ones times
/// `kEuclideanUnit`.
[[nodiscard]] std::vector<double> initial_points(const TrainingLinks& links,
                                                 const EmbeddingOptions& options,
                                                 const Schedule& schedule);

}  // namespace spiraltorch
