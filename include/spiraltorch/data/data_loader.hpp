#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/data/sample.hpp"

namespace spiraltorch {

/// The batches of one epoch. With prefetch, a thread of its own makes them ahead of the consumer,
/// in the same order; the last handle's destruction, or `close`, stops and joins it.
///
/// An exception keeps its place in the order, is thrown once and ends the epoch. Any thread may
/// call; each batch goes to one caller.
class SPIRALTORCH_API DataIterator {
 public:
  class State;
  explicit DataIterator(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

  [[nodiscard]] std::optional<Batch> next();
  /// Ends the epoch: no batch follows, and no thread is left when this returns.
  void close() noexcept;

  /// For range-based loops.
  class Cursor {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    explicit Cursor(DataIterator& owner) : owner_(&owner), batch_(owner.next()) {}
    const Batch& operator*() const { return *batch_; }
    Cursor& operator++() {
      batch_ = owner_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Cursor& c, std::default_sentinel_t) { return !c.batch_; }

   private:
    DataIterator* owner_;
    std::optional<Batch> batch_;
  };
  [[nodiscard]] Cursor begin() { return Cursor(*this); }
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }

 private:
  std::shared_ptr<State> state_;
};

/// Samples in an order that depends on the epoch alone, in batches. Immutable: an adapter returns
/// a new loader in O(1) that shares the source. Adapters transform the order in the order of their
/// calls.
///
/// @code
///   const auto loader = from_tensors(x, y).shuffle(42).batched(32).prefetch(2);
///   for (const auto& [input, target] : loader.iter()) { ... }
/// @endcode
class SPIRALTORCH_API DataLoader {
 public:
  explicit DataLoader(std::shared_ptr<const SampleSource> source);

  /// Position i ← permutation(len, seed, epoch)[i]. With a window of w samples: a buffer of w,
  /// where each next sample takes a random slot whose old sample leaves.
  [[nodiscard]] DataLoader shuffle(std::uint64_t seed,
                                   std::optional<std::int64_t> window = {}) const;
  [[nodiscard]] DataLoader take(std::int64_t n) const;
  [[nodiscard]] DataLoader skip(std::int64_t n) const;
  /// The first fraction·len samples, half to even, and the rest; with a seed after a permutation.
  /// `invalid_value` after `shuffle`: the parts would mix between epochs.
  [[nodiscard]] std::pair<DataLoader, DataLoader> split(
      double fraction, std::optional<std::uint64_t> seed = {}) const;
  /// Positions rank, rank + world, …; even: of the first ⌊len/world⌋·world.
  [[nodiscard]] DataLoader shard(std::int64_t rank, std::int64_t world, bool even = false) const;
  /// Applies f to each sample when it is drawn.
  [[nodiscard]] DataLoader map(SampleMap f) const;
  [[nodiscard]] DataLoader batched(std::int64_t n, bool drop_last = false) const;
  /// At most depth + 1 batches are made ahead of the consumer; 0: none.
  [[nodiscard]] DataLoader prefetch(std::int64_t depth) const;

  /// Samples; nothing for a source without a length.
  [[nodiscard]] std::optional<std::int64_t> len() const;
  [[nodiscard]] std::optional<std::int64_t> num_batches() const;
  /// `dtype` for a source without a length.
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] std::int64_t batch_size() const noexcept;
  [[nodiscard]] bool drop_last() const noexcept;
  [[nodiscard]] std::int64_t prefetch_depth() const noexcept;
  /// The epoch that the next `iter` will take.
  [[nodiscard]] std::uint64_t epoch() const noexcept;
  [[nodiscard]] std::string repr() const;

  /// Sets the counter that copies of this loader share: how training goes on where it was.
  /// `invalid_value` outside [0, 2³²).
  void set_epoch(std::int64_t epoch) const;

  /// The next epoch: the counter, shared by copies of this loader, is taken and advanced.
  [[nodiscard]] DataIterator iter() const;
  /// Epoch `epoch` < 2³², the counter untouched.
  [[nodiscard]] DataIterator at_epoch(std::int64_t epoch) const;

  struct Plan;

 private:
  explicit DataLoader(std::shared_ptr<const Plan> plan) noexcept;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace spiraltorch
