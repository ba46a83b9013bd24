#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "backend/cpu/simd/embed_pool.hpp"
#include "spiraltorch/runtime/kernel.hpp"

// One epoch of embed_pools. Every epoch throws the nodes into pools at random; a pool's nodes draw
// their negatives from that pool, so that only ancestors are shared between pools: a stratified
// SGD (Gemulla et al., KDD 2011). A pool is as large as a core's cache likes, and pools are worked
// on side by side without a lock or a race.
namespace spiraltorch::cpu {

/// What embed_pools gets, by name.
struct PoolEpoch {
  std::span<const std::int64_t> offsets;   ///< of each node's ancestors
  std::span<const std::int32_t> linked;    ///< sorted within a node
  std::span<const std::int32_t> preorder;  ///< nodes, depth first in a spanning forest
  std::span<const std::int32_t> sizes;     ///< of the subtree below each of them, itself included
  std::span<const double> weights;         ///< of each node as a negative; used if weighted
  std::int64_t nodes = 0, dim = 0;
  double rate = 0, scale = 1, power = 1;
  double unit = 1;  ///< what a table's 1 is worth here
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::int64_t negatives = 0, local = 0;
  std::int64_t pools = 1, rounds = 1;
  bool grouped = true, weighted = false, racing = false;
  EmbedSpace space = EmbedSpace::ball;

  PoolEpoch() = default;
  explicit PoolEpoch(const KernelArgs& args);
};

/// Where an epoch puts each node: pools are ranges of positions, nodes in preorder within each.
class PoolLayout {
 public:
  explicit PoolLayout(const PoolEpoch& e);

  [[nodiscard]] std::int32_t begin(std::int64_t pool) const { return begins_[at(pool)]; }
  [[nodiscard]] std::int32_t end(std::int64_t pool) const { return begins_[at(pool) + 1]; }
  [[nodiscard]] std::int32_t place(std::int32_t node) const { return places_[at(node)]; }
  [[nodiscard]] std::int32_t node(std::int32_t position) const { return nodes_[at(position)]; }
  /// Number of a node among those with descendants, or -1.
  [[nodiscard]] std::int32_t inner(std::int32_t node) const { return inner_[at(node)]; }
  /// Nodes with descendants, by number.
  [[nodiscard]] std::span<const std::int32_t> inner_nodes() const { return inner_nodes_; }
  /// Places in a pool, from its first, of the nodes in the subtree of each node with descendants:
  /// (first, end).
  [[nodiscard]] std::vector<std::pair<std::int32_t, std::int32_t>> subtrees(
      std::int64_t pool) const;

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

  const PoolEpoch& epoch_;
  std::vector<std::int32_t> begins_, places_, nodes_;
  std::vector<std::int32_t> ranks_;  // of each position's node in the preorder
  std::vector<std::int32_t> inner_, inner_nodes_;
};

/// Words one by one: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) from a state that seed, epoch,
/// kind and substream choose.
class PoolWords {
 public:
  PoolWords(const PoolEpoch& e, std::uint32_t kind, std::uint32_t substream)
      : state_(mix(mix(e.seed + kStep) + (std::uint64_t{kind + e.epoch} << 32U) + substream)) {}

  [[nodiscard]] std::uint32_t next() {
    state_ += kStep;
    return static_cast<std::uint32_t>(mix(state_) >> 32U);
  }
  /// Uniform in [0, n).
  [[nodiscard]] std::int32_t below(std::int64_t n) {
    return static_cast<std::int32_t>((std::uint64_t{next()} * static_cast<std::uint64_t>(n)) >>
                                     32U);
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
  }
  std::uint64_t state_;
};

/// Kinds of streams of an epoch, the upper part of a counter's second word.
inline constexpr std::uint32_t kNegativeWords = 0x00000000U;
inline constexpr std::uint32_t kTurnWords = 0x20000000U;
inline constexpr std::uint32_t kLocalWords = 0x40000000U;
inline constexpr std::uint32_t kPoolWords = 0xA0000000U;
inline constexpr std::uint32_t kOrderWords = 0xB0000000U;

}  // namespace spiraltorch::cpu
