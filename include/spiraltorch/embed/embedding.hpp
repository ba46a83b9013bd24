#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/embed/hierarchy.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// How a hierarchy is embedded. What is absent follows from the number of nodes
/// (docs/embedding.md).
struct EmbeddingOptions {
  std::int64_t dim = 10;
  std::string manifold = "poincare";  ///< the only one so far
  double curvature = -1.0;
  std::optional<std::int64_t> epochs{};     ///< after burn-in
  std::optional<std::int64_t> batch{};      ///< items whose gradients share a snapshot
  std::optional<double> lr{};               ///< step a pair, unaveraged
  std::optional<std::int64_t> negatives{};  ///< 200 shared by a group, 50 for a pair
  std::optional<std::int64_t> burn_in{};    ///< epochs before, at a fraction of the rate
  std::optional<double> burn_in_factor{};   ///< that fraction
  double sampling_power = 0.0;              ///< burn-in negatives ∝ degree^power; 0: uniform
  std::string init = "tree";                ///< or "uniform"
  std::optional<double> init_radius{};      ///< of the tree's leaves, in the unit ball
  double init_scale = 1e-3;                 ///< uniform: half the side of the cube
  std::uint64_t seed = 0;
  std::string device = "cpu";
  std::optional<int> threads{};
  std::string dtype = "float32";  ///< the only one so far
  bool grouped = true;            ///< one step a node: all its ancestors share one draw
};

/// One epoch's figures for a progress report.
struct EmbeddingProgress {
  std::int64_t epoch = 0;   ///< counted from 1, burn-in included
  std::int64_t epochs = 0;  ///< of the whole run
  double loss = 0.0;        ///< mean over pairs
  double pairs_per_second = 0.0;
  double seconds_left = 0.0;
};
/// Called after each epoch; false stops the training there.
using ProgressCallback = std::function<bool(const EmbeddingProgress&)>;

/// Reconstruction figures (Nickel & Kiela 2017).
struct EmbeddingEvaluation {
  struct Level {
    double mean_rank = 0.0;
    double map = 0.0;
    std::int64_t nodes = 0;
  };
  double mean_rank = 0.0;  ///< over linked pairs
  double map = 0.0;        ///< over nodes with an ancestor
  std::int64_t nodes = 0;
  std::int64_t pairs = 0;
  std::map<std::int64_t, Level> per_depth;
};

/// Points of the Poincaré ball for the nodes of a hierarchy.
///
/// Minimises −Σ log(e^{−d(u,v)}/(e^{−d(u,v)} + Σ_{v'} e^{−d(u,v')})) over the closure's pairs, with
/// negatives v' drawn uniformly among nodes not linked to u, by Riemannian SGD with the exact
/// exponential map (Nickel & Kiela, NIPS 2017). Equal seeds give equal bits for any number of
/// threads. The vectors stay on the device of the training.
///
/// Errors: `invalid_value`, `non_finite`, `curvature`, `unsupported` (manifold, dtype);
/// `empty_input` before `fit`; `out_of_range` for unknown names; `io` for files;
/// `non_finite` with epoch and node if training diverges, the last good table kept. A `fit` that
/// fails before its first epoch leaves the embedding as it was.
///
/// @code
///   HierarchyEmbedding embedding({.dim = 5});
///   embedding.fit(Hierarchy::wordnet_mammals());
///   auto near = embedding.nearest("dog.n.01", 10);
/// @endcode
class SPIRALTORCH_API HierarchyEmbedding {
 public:
  explicit HierarchyEmbedding(EmbeddingOptions options = {});

  /// Trains on the hierarchy's closure from the start. Returns whether it ran to the end.
  bool fit(const Hierarchy& hierarchy, const ProgressCallback& progress = {});
  /// Goes on where a stopped or loaded training is; the same result, bit for bit, as one run.
  bool resume(const Hierarchy& hierarchy, const ProgressCallback& progress = {});

  [[nodiscard]] const EmbeddingOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool is_fitted() const noexcept { return unit_.has_value(); }
  [[nodiscard]] std::int64_t epochs_done() const noexcept { return epochs_done_; }
  /// (nodes, dim), a copy.
  [[nodiscard]] Tensor vectors() const;
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] std::int64_t index(std::string_view name) const;
  [[nodiscard]] double distance(std::string_view a, std::string_view b) const;
  /// The k nearest other nodes with their distances, nearest first; 1 ≤ k < nodes.
  [[nodiscard]] std::vector<std::pair<std::string, double>> nearest(std::string_view name,
                                                                    std::int64_t k = 10) const;
  /// Each linked node ranked among all nodes not linked to u, by distance; exact.
  [[nodiscard]] EmbeddingEvaluation evaluate(const Hierarchy& hierarchy) const;

  /// safetensors with names, model, curvature and training state in the metadata; written beside
  /// the target and renamed, so a failure leaves a former file.
  void save(const std::string& path) const;
  [[nodiscard]] static HierarchyEmbedding load(const std::string& path);
  /// name, then coordinates, separated by commas.
  void export_csv(const std::string& path) const;
  [[nodiscard]] std::string repr() const;

 private:
  void check_fitted(std::string_view op) const;
  void check_finite(std::string_view op) const;
  bool train(const Hierarchy& closure, std::optional<Tensor> start,
             const ProgressCallback& progress);

  EmbeddingOptions options_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::optional<Tensor> unit_;  // table in the unit ball; vectors are unit_/√κ
  std::int64_t epochs_done_ = 0;
};

}  // namespace spiraltorch
