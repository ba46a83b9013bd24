#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/embed/hierarchy.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

namespace nn {
class PoincareEmbedding;
}
struct EmbeddingTable;

/// How a hierarchy is embedded. What is absent follows from the number of nodes and the objective
/// (docs/embedding.md).
struct EmbeddingOptions {
  std::int64_t dim = 10;
  /// "poincare"; "lorentz": the same training, vectors on the hyperboloid; "euclidean": a control,
  /// by squared Euclidean distances as in Nickel & Kiela (2017).
  std::string manifold = "poincare";
  double curvature = -1.0;
  /// "papers": the negative log-likelihood of Nickel & Kiela (2017); "focused": loss_power 2.5 and
  /// local negatives, which gives far better ranks.
  std::string objective = "papers";
  std::optional<double> loss_power{};  ///< p of a pair's loss ℓ^p/p, 1 to 4; 1 is the papers'
  /// Of an item's negatives, how many come from the subtree of a random ancestor of u; 0 unless
  /// focused. They change the objective.
  std::optional<std::int64_t> local_negatives{};
  std::optional<double> local_from{};       ///< part of the epochs after burn-in without them
  std::optional<std::int64_t> epochs{};     ///< after burn-in
  std::optional<std::int64_t> batch{};      ///< items whose gradients share a snapshot, in batches
  std::optional<double> lr{};               ///< step a pair, unaveraged
  std::optional<std::int64_t> negatives{};  ///< 200 shared by a group, 50 for a pair
  std::optional<std::int64_t> burn_in{};    ///< epochs before, at a fraction of the rate
  std::optional<double> burn_in_factor{};   ///< that fraction
  double sampling_power = 0.0;              ///< burn-in negatives ∝ degree^power; 0: uniform
  std::string init = "tree";                ///< or "uniform"
  std::optional<double> init_radius{};      ///< norm of the tree's leaves, in the unit ball
  double init_scale = 1e-3;                 ///< uniform: half the side of the cube
  std::uint64_t seed = 0;
  std::string device = "cpu";
  std::optional<int> threads{};
  std::string dtype = "float32";  ///< or "float64", on the CPU
  bool grouped = true;            ///< one step a node: all its ancestors share one draw
  bool closure = true;            ///< train on the closure; false: on the edges as given
  /// "auto": pools on the CPU, batches elsewhere; "pools": sequential steps in pools of nodes,
  /// equal bits for any number of threads; "hogwild": pools whose ancestors are shared without
  /// locks (Recht et al. 2011), not reproducible with several threads; "batch": gradients of a
  /// batch against one snapshot.
  std::string mode = "auto";
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

/// Figures of reconstruction or link prediction (Nickel & Kiela 2017).
struct EmbeddingEvaluation {
  struct Level {
    double mean_rank = 0.0;
    double map = 0.0;
    std::int64_t nodes = 0;
    std::int64_t pairs = 0;
  };
  double mean_rank = 0.0;  ///< over ranked pairs
  double map = 0.0;        ///< over nodes with one
  std::int64_t nodes = 0;
  std::int64_t pairs = 0;
  bool sampled = false;  ///< `nodes` were drawn from those that could have been ranked
  std::map<std::int64_t, Level> per_depth;
};

/// The nearest nodes of several, nearest first, on the embedding's device.
struct EmbeddingNeighbours {
  IndexTensor indices;  ///< (queries, k): rows of the embedding
  Tensor distances;     ///< (queries, k)
};

/// Points of the Poincaré ball for the nodes of a hierarchy.
///
/// Minimises −Σ log(e^{−d(u,v)}/(e^{−d(u,v)} + Σ_{v'} e^{−d(u,v')})) over the closure's pairs, with
/// negatives v' drawn uniformly among nodes not linked to u, by Riemannian SGD with the exact
/// exponential map (Nickel & Kiela, NIPS 2017). Equal seeds give equal bits for any number of
/// threads. The vectors stay on the device of the training. Weights of edges play no part.
///
/// Errors: `invalid_value`, `non_finite`, `curvature`, `unsupported` (options that do not go
/// together; hyperbolic questions to a Euclidean embedding);
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

  /// Trains on the hierarchy's closure (or edges: `closure`) from the start. Returns whether it ran
  /// to the end.
  bool fit(const Hierarchy& hierarchy, const ProgressCallback& progress = {});
  /// Goes on where a stopped or loaded training is; the same result, bit for bit, as one run.
  bool resume(const Hierarchy& hierarchy, const ProgressCallback& progress = {});

  [[nodiscard]] const EmbeddingOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool is_fitted() const noexcept { return unit_.has_value(); }
  [[nodiscard]] std::int64_t epochs_done() const noexcept { return epochs_done_; }
  /// (nodes, dim), a copy; (nodes, dim + 1), time first, of a Lorentz embedding.
  [[nodiscard]] Tensor vectors() const;
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] std::int64_t index(std::string_view name) const;
  [[nodiscard]] double distance(std::string_view a, std::string_view b) const;
  /// The k nearest other nodes with their distances, nearest first; 1 ≤ k < nodes.
  [[nodiscard]] std::vector<std::pair<std::string, double>> nearest(std::string_view name,
                                                                    std::int64_t k = 10) const;
  /// The same for several nodes at once, in blocks of at most 64 MB of distances; `empty_input`
  /// without names.
  [[nodiscard]] EmbeddingNeighbours nearest_many(std::span<const std::string> names,
                                                 std::int64_t k = 10) const;
  /// The k nearest among the nodes whose norm is smaller than this one's, nearest first: general
  /// nodes lie nearer the origin. Fewer where fewer such nodes exist; 1 ≤ k < nodes.
  [[nodiscard]] std::vector<std::pair<std::string, double>> ancestors_guess(
      std::string_view name, std::int64_t k = 10) const;
  /// −(1 + alpha·(|parent| − |child|))·d(child, parent), norms in the unit ball: the larger, the
  /// likelier that `parent` is above `child` (Nickel & Kiela 2017). `non_finite` alpha.
  [[nodiscard]] double score(std::string_view child, std::string_view parent,
                             double alpha = 1000.0) const;
  /// Reconstruction: each ancestor of u ranked among all nodes not linked to u, by distance; exact.
  /// `sample` nodes with an ancestor, drawn by seed without replacement, give a quick estimate;
  /// `invalid_value` below 1.
  [[nodiscard]] EmbeddingEvaluation evaluate(const Hierarchy& hierarchy,
                                             std::optional<std::int64_t> sample = {},
                                             std::uint64_t seed = 0) const;
  /// Link prediction: each held-out edge (u, v) of `test` ranked among all nodes not linked to u in
  /// train or test. Edges are taken as given, not closed; depths are those of train and test
  /// together. `invalid_value` for an edge in both and for a cycle.
  [[nodiscard]] EmbeddingEvaluation evaluate_links(const Hierarchy& train,
                                                   const Hierarchy& test) const;

  /// (nodes, dim) points of the ball of this curvature, a copy.
  [[nodiscard]] Tensor to_poincare() const;
  /// (nodes, dim+1) points of the hyperboloid of this curvature, time first, as `Lorentz` has them;
  /// computed in double.
  [[nodiscard]] Tensor to_lorentz() const;
  /// A look-up table of the points, on the device of the vectors; row i is names()[i].
  [[nodiscard]] std::shared_ptr<nn::PoincareEmbedding> to_module(
      std::string name = "poincare_embedding") const;

  /// safetensors with names, model, curvature and training state in the metadata; written beside
  /// the target and renamed, so a failure leaves a former file.
  void save(const std::string& path) const;
  [[nodiscard]] static HierarchyEmbedding load(const std::string& path);
  /// name, then coordinates, separated by commas.
  void export_csv(const std::string& path) const;
  /// word2vec's text format: "nodes dim", then a line a node, name and coordinates separated by
  /// spaces. It has no way to quote: white space in a name becomes `space` ("_", say), or is
  /// `invalid_value`, as names are that become equal so.
  void export_word2vec(const std::string& path, const std::optional<std::string>& space = {}) const;
  [[nodiscard]] std::string repr() const;

 private:
  void check_fitted(std::string_view op) const;
  void check_finite(std::string_view op) const;
  void check_neighbours(std::string_view op, std::int64_t k) const;
  [[nodiscard]] std::vector<std::int64_t> rows_of(const Hierarchy& hierarchy) const;
  void check_epoch(const Tensor& table) const;
  void check_hyperbolic(std::string_view op) const;
  void start(const Hierarchy& hierarchy, EmbeddingTable table);
  bool train(std::string_view op, const Hierarchy& hierarchy, bool afresh,
             const ProgressCallback& progress);
  [[nodiscard]] bool is_euclidean() const noexcept;
  [[nodiscard]] double radius() const;         // vectors are unit_ times this
  [[nodiscard]] double distance_unit() const;  // and distances those of unit_ times this

  EmbeddingOptions options_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::optional<Tensor> unit_;  // table in the unit ball
  std::vector<double> wide_;    // the same in float64 where that is the dtype
  std::int64_t epochs_done_ = 0;
};

}  // namespace spiraltorch
