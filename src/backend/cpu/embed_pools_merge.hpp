#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "backend/cpu/embed_pools.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// The rows of an epoch of embed_pools, and how pools share the rows of ancestors.
namespace spiraltorch::cpu {

/// The table in the layout's order, a row a cache line or several.
template <class T>
class PoolRows {
 public:
  /// Rows stay where 1 − |x|² is at least this: radius 13.8 in float32.
  static constexpr T kAlphaLeast = sizeof(T) == 4 ? T(2e-6) : T(1e-12);
  static constexpr double kFlatRadius = 1024;  ///< Euclidean rows stay within

  PoolRows(const PoolEpoch& e, const PoolLayout& layout, const T* table)
      : dim_(e.dim),
        nodes_(e.nodes),
        unit_(static_cast<T>(e.unit)),
        ball_(e.space == EmbedSpace::ball) {
    constexpr auto kLine = static_cast<std::int64_t>(kPoolAlign / sizeof(T));
    stride_ = (dim_ + 1 + kLine - 1) / kLine * kLine;
    memory_.resize(static_cast<std::size_t>(nodes_ * stride_ + kLine));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    first_ = memory_.data() + (kPoolAlign - address % kPoolAlign) % kPoolAlign / sizeof(T);
    parallel_blocks(nodes_, 4096, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p) {
        const auto position = static_cast<std::int32_t>(p);
        const T* from = table + layout.node(position) * dim_;
        std::transform(from, from + dim_, row(position), [this](T x) { return x * unit_; });
        settle(row(position));
      }
    });
  }

  void store(const PoolLayout& layout, T* table) {
    parallel_blocks(nodes_, 4096, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p) {
        const auto position = static_cast<std::int32_t>(p);
        T* from = row(position);
        settle(from);  // α drifts a little from the coordinates
        std::transform(from, from + dim_, table + layout.node(position) * dim_,
                       [this](T x) { return x / unit_; });
      }
    });
  }

  /// 1 − |x|² of a row from its coordinates, in double; back into the ball first if need be.
  void settle(T* x) const {
    if (!ball_) {
      settle_flat(x);
      return;
    }
    pool_settle(x, dim_, kAlphaLeast);
  }

  /// Tables hold flat points in a part of the ball that is flat to within rounding.
  void settle_flat(T* x) const {
    double squared = 0.0;
    for (std::int64_t j = 0; j < dim_; ++j) squared += static_cast<double>(x[j]) * x[j];
    const double shrink = kFlatRadius / std::sqrt(std::max(squared, kFlatRadius * kFlatRadius));
    for (std::int64_t j = 0; j < dim_ && shrink < 1; ++j) x[j] = static_cast<T>(x[j] * shrink);
    x[dim_] = 1;
  }

  [[nodiscard]] T* row(std::int32_t position) { return first_ + position * stride_; }
  [[nodiscard]] std::int64_t stride() const noexcept { return stride_; }
  [[nodiscard]] std::int64_t dim() const noexcept { return dim_; }

 private:
  std::int64_t dim_, nodes_, stride_;
  T unit_;  // a power of two: no rounding
  bool ball_;
  std::vector<T> memory_;
  T* first_;
};

/// One pool's copies of other pools' rows in one round.
template <class T>
class Touched {
 public:
  std::vector<std::int32_t> ids;  // of shared rows, in order of their first touch

  /// A new copy of a row; it stays where it is until `clear`.
  T* add(std::int32_t id, const T* from, std::int64_t stride) {
    const std::size_t slot = ids.size();
    if (slot / kChunk == chunks_.size()) {
      chunks_.emplace_back(kChunk * static_cast<std::size_t>(stride));
    }
    ids.push_back(id);
    return std::copy_n(from, stride, row(slot, stride)) - stride;
  }
  [[nodiscard]] T* row(std::size_t slot, std::int64_t stride) {
    return chunks_[slot / kChunk].data() + slot % kChunk * static_cast<std::size_t>(stride);
  }
  void clear() { ids.clear(); }

 private:
  static constexpr std::size_t kChunk = 256;
  std::vector<std::vector<T>> chunks_;
};

/// Rows of nodes with descendants: each pool works on copies of those that other pools own, and at
/// the end of a round such a row moves by the mean of the displacements of the pools that had it as
/// an ancestor, added up pool after pool. (Their sum overshoots: a pool alone touches an ancestor
/// often enough that its copy has about settled.)
template <class T>
class SharedRows {
 public:
  SharedRows(const PoolEpoch& e, const PoolLayout& layout, PoolRows<T>& rows) : rows_(rows) {
    touched_.resize(static_cast<std::size_t>(e.pools));
    if (e.pools == 1 || e.racing) return;
    for (const std::int32_t node : layout.inner_nodes()) positions_.push_back(layout.place(node));
    const std::size_t cells = positions_.size() * static_cast<std::size_t>(rows.stride());
    kept_.resize(cells);
    sums_.resize(cells);
    own_.assign(static_cast<std::size_t>(e.nodes), 0);
    pools_.resize(positions_.size());
  }

  [[nodiscard]] std::int64_t count() const noexcept { return std::ssize(positions_); }
  [[nodiscard]] Touched<T>& touched(std::int64_t pool) {
    return touched_[static_cast<std::size_t>(pool)];
  }

  /// The rows as they are now, for copies to start from.
  void keep() {
    const std::int64_t stride = rows_.stride();
    parallel_blocks(count(), 1024, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::copy_n(rows_.row(positions_[static_cast<std::size_t>(i)]), stride, kept(i));
      }
    });
  }

  /// A pool's copy of a row.
  T* touch(std::int32_t i, std::vector<std::int32_t>& slots, Touched<T>& t) const {
    std::int32_t& slot = slots[static_cast<std::size_t>(i)];
    if (slot < 0) {
      slot = static_cast<std::int32_t>(t.ids.size());
      t.add(i, kept(i), rows_.stride());
    }
    return t.row(static_cast<std::size_t>(slot), rows_.stride());
  }
  /// A touch by the pool that owns the row at this position.
  void mark_own(std::int32_t position) { own_[static_cast<std::size_t>(position)] = 1; }

  void merge() {
    parallel_blocks(count(), kMergeBlock, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      add_up(static_cast<std::int32_t>(begin), static_cast<std::int32_t>(end));
      for (std::int64_t i = begin; i < end; ++i) apply(i);
    });
    for (Touched<T>& t : touched_) t.clear();
  }

 private:
  static constexpr std::int64_t kMergeBlock = 8192;

  [[nodiscard]] T* kept(std::int64_t i) { return kept_.data() + i * rows_.stride(); }
  [[nodiscard]] const T* kept(std::int64_t i) const { return kept_.data() + i * rows_.stride(); }

  void add_up(std::int32_t begin, std::int32_t end) {
    const std::int64_t stride = rows_.stride();
    std::fill(sums_.begin() + begin * stride, sums_.begin() + end * stride, T(0));
    std::fill(pools_.begin() + begin, pools_.begin() + end, 0);
    for (Touched<T>& t : touched_) {
      for (std::size_t k = 0; k < t.ids.size(); ++k) {
        const std::int32_t i = t.ids[k];
        if (i < begin || i >= end) continue;
        const T* x = t.row(k, stride);
        const T* from = kept(i);
        T* sum = sums_.data() + i * stride;
        for (std::int64_t j = 0; j < rows_.dim(); ++j) sum[j] += x[j] - from[j];
        ++pools_[static_cast<std::size_t>(i)];
      }
    }
  }

  void apply(std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int32_t pools =
        pools_[at] + std::exchange(own_[static_cast<std::size_t>(positions_[at])], char{0});
    if (pools_[at] == 0) return;
    const T f = T(1) / static_cast<T>(pools);
    T* x = rows_.row(positions_[at]);
    const T* from = kept(i);
    const T* sum = sums_.data() + i * rows_.stride();
    for (std::int64_t j = 0; j < rows_.dim(); ++j) {
      x[j] = from[j] + f * ((x[j] - from[j]) + sum[j]);
    }
    rows_.settle(x);
  }

  PoolRows<T>& rows_;
  std::vector<std::int32_t> positions_;
  std::vector<T> kept_, sums_;
  std::vector<char> own_;  // by position: whether its pool had it as an ancestor
  std::vector<std::int32_t> pools_;
  std::vector<Touched<T>> touched_;
};

}  // namespace spiraltorch::cpu
