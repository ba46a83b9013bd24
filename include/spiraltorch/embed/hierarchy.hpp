#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "spiraltorch/base/api.hpp"

struct ArrowArrayStream;

namespace spiraltorch {

/// A column by number or name.
using ArrowEdgeColumn = std::variant<std::int64_t, std::string>;

class NameTable;
struct HierarchySplit;

/// One directed edge by name, child below parent.
struct NamedEdge {
  std::string child;
  std::string parent;
  double weight = 1.0;
};

/// The same by node id.
struct Edge {
  std::int32_t child;
  std::int32_t parent;
  double weight = 1.0;
};

/// How `Hierarchy::from_csv` reads a file.
struct CsvOptions {
  std::optional<char> delimiter{};    ///< by default a tab, else a comma, of the first line
  std::optional<bool> header{};       ///< by default: the first line's names are "child"-like
  std::pair<int, int> columns{0, 1};  ///< child and parent
  std::optional<int> weight{};        ///< column of weights
  std::string comment = "#";          ///< lines that start with it are skipped; empty: none
};

/// Which closure edges `Hierarchy::split` may hold out.
enum class SplitPairs : std::uint8_t {
  any,
  /// None of the hierarchy's own edges: of a node whose one parent is hidden nothing tells it from
  /// the parent's siblings.
  inferred,
  /// None with a root or a leaf at an end, as in Nickel & Kiela (2017): those are trivial to
  /// predict or hardly possible.
  inner
};

/// What `Hierarchy::closure` does with a cycle.
enum class CyclePolicy : std::uint8_t {
  raise,    ///< `invalid_value` naming one
  collapse  ///< each strongly connected component becomes its first node (Tarjan 1972)
};

/// Counts of what was read.
struct HierarchyReport {
  std::int64_t nodes = 0;
  std::int64_t edges = 0;
  std::int64_t duplicate_edges = 0;  ///< added to the weight of their first
  std::int64_t self_edges = 0;       ///< dropped
};

/// Named nodes and directed, weighted edges child → parent. Ids follow first appearance.
///
/// Errors: `empty_input` (no edge), `invalid_value` (empty name, weight not > 0, cycle, bad UTF-8,
/// options), `non_finite` (weight), `length_mismatch` (columns of a line), `out_of_range` (unknown
/// name or parent), `io` (file; FormatError for damaged gzip or WordNet data). Nothing is half
/// read. Memory is linear in nodes and edges: about 45 bytes and the name's beyond 15 a node, 16 an
/// edge, and half as much again while they are read.
///
/// @code
///   auto animals = Hierarchy::from_edges({{"dog", "mammal"}, {"cat", "mammal"}});
///   auto closed = animals.closure();
/// @endcode
class SPIRALTORCH_API Hierarchy {
 public:
  [[nodiscard]] static Hierarchy from_edges(std::span<const NamedEdge> edges);
  [[nodiscard]] static Hierarchy from_edges(std::initializer_list<NamedEdge> edges);
  /// The reader that the name asks for: .jsonl and .ndjson are JSON lines, all else is CSV; with
  /// .gz behind it, compressed.
  [[nodiscard]] static Hierarchy read(const std::string& path);
  /// One streaming pass over .csv, .tsv or .txt, decompressed where the name ends in .gz. A line
  /// has at most 1 MiB.
  [[nodiscard]] static Hierarchy from_csv(const std::string& path, const CsvOptions& options = {});
  /// The same over JSON lines: of each line's object, the values of these keys. Names are strings
  /// or whole numbers.
  [[nodiscard]] static Hierarchy from_jsonl(const std::string& path,
                                            const std::string& child = "child",
                                            const std::string& parent = "parent",
                                            const std::optional<std::string>& weight = {});
  /// Columns of record batches by the Arrow C stream interface (spiraltorch/data/arrow_abi.hpp),
  /// which is taken and released. Names are strings, integers or dictionaries of either; nulls and
  /// other types are FormatErrors.
  [[nodiscard]] static Hierarchy from_arrow(ArrowArrayStream* stream,
                                            const ArrowEdgeColumn& child = "child",
                                            const ArrowEdgeColumn& parent = "parent",
                                            const std::optional<ArrowEdgeColumn>& weight = {});
  /// Node i is named by its number; parents[i] = -1 for a root.
  [[nodiscard]] static Hierarchy from_parents(std::span<const std::int64_t> parents);
  /// WordNet's nouns: Princeton's data.noun (a file, or a folder that holds it beside index.noun;
  /// by default where distributions install it), hypernym and instance-hypernym pointers, nodes
  /// named like dog.n.01.
  [[nodiscard]] static Hierarchy wordnet_nouns(const std::optional<std::string>& path = {});
  /// The subtree below mammal.n.01.
  [[nodiscard]] static Hierarchy wordnet_mammals(const std::optional<std::string>& path = {});

  [[nodiscard]] const std::vector<std::string>& nodes() const noexcept;
  [[nodiscard]] const std::vector<Edge>& edges() const noexcept { return edges_; }
  [[nodiscard]] std::int64_t len() const noexcept { return std::ssize(nodes()); }
  [[nodiscard]] HierarchyReport report() const noexcept { return report_; }
  [[nodiscard]] std::string repr() const;
  /// Id of a name; `out_of_range`.
  [[nodiscard]] std::int32_t index(std::string_view name) const;

  /// Every node to all its ancestors, weight 1, same nodes and ids. More than 500 million pairs
  /// are refused, before the memory is taken (`out_of_memory`): 8 GB as edges.
  [[nodiscard]] Hierarchy closure(CyclePolicy cycles = CyclePolicy::raise) const;
  /// Closure edges for training and others for a test of link prediction, chosen by seed alone.
  /// Pairs are looked at in random order; one that `pairs` allows is held out if each of its ends
  /// is then still in a pair for training, until the share `test` of those allowed, rounded, at
  /// least one, is held out or none can be. Both results have the nodes and ids of this hierarchy
  /// and edges of weight 1. The closure of `train` holds most of `test` again: train on its edges
  /// as they are. `invalid_value` for a share outside (0, 1), or where nothing can be held out (a
  /// star).
  [[nodiscard]] HierarchySplit split(double test = 0.1, std::uint64_t seed = 0,
                                     SplitPairs pairs = SplitPairs::any) const;
  /// A node and all that lies below it.
  [[nodiscard]] Hierarchy subtree(std::string_view root) const;
  /// Names of nodes without parents / without children.
  [[nodiscard]] std::vector<std::string> roots() const;
  [[nodiscard]] std::vector<std::string> leaves() const;
  /// Edges of the longest path from a root down; `invalid_value` on a cycle.
  [[nodiscard]] std::int64_t depth() const;
  /// Longest path from a root to each node.
  [[nodiscard]] std::vector<std::int64_t> depths() const;
  /// child, parent and, unless all are 1, weight, separated by tabs, one edge a line; `io`, and
  /// `invalid_value` for a name that readers would take for something else: with a tab, a line end
  /// or a NUL, or beginning with #.
  void write_tsv(const std::string& path) const;

 private:
  friend class HierarchyBuilder;
  Hierarchy() = default;
  std::shared_ptr<const NameTable> names_;  // shared with what has the same nodes
  std::vector<Edge> edges_;
  HierarchyReport report_;
};

/// What `Hierarchy::split` gives.
struct HierarchySplit {
  Hierarchy train;
  Hierarchy test;
};

}  // namespace spiraltorch
