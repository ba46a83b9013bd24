#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "spiraltorch/base/word_stream.hpp"
#include "spiraltorch/data/sample.hpp"

namespace spiraltorch::data {

/// One adapter of the sample order, and those before it.
struct Order {
  enum class Kind : std::uint8_t { shuffle, window, take, skip, split_first, split_rest, shard };
  Kind kind = Kind::take;
  std::shared_ptr<const Order> before{};
  std::optional<std::uint64_t> seed{};
  std::int64_t n = 0;  // window, take, skip: a count; shard: the rank
  std::int64_t world = 1;
  bool even = false;
  double fraction = 0.0;
};
using OrderList = std::shared_ptr<const Order>;

/// Which sample stands at a position: an arithmetic sequence, perhaps through a table.
struct Positions {
  std::shared_ptr<const std::vector<std::int64_t>> table{};
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;

  [[nodiscard]] std::int64_t at(std::int64_t i) const {
    const std::int64_t place = start + i * step;
    return table ? (*table)[static_cast<std::size_t>(place)] : place;
  }
};

[[nodiscard]] bool has(const OrderList& order, Order::Kind kind) noexcept;
/// Number of positions over a source of `size` samples.
[[nodiscard]] std::int64_t length(const OrderList& order, std::int64_t size);
[[nodiscard]] Positions positions(const OrderList& order, std::int64_t size, std::uint32_t epoch);
/// Whether a pass over a stream gives the same order without a length.
[[nodiscard]] bool streams(const OrderList& order) noexcept;
/// The stream in that order.
[[nodiscard]] std::unique_ptr<SampleStream> streamed(const OrderList& order,
                                                     std::unique_ptr<SampleStream> source,
                                                     std::uint32_t epoch);

/// Shuffling with a bounded buffer: each next item takes a random slot, whose old item leaves; the
/// rest leaves in Fisher-Yates order.
template <class T>
class Window {
 public:
  Window(std::int64_t size, std::uint64_t seed, std::uint32_t epoch)
      : size_(static_cast<std::size_t>(size)), words_(seed, epoch, PhiloxDomain::window) {}

  /// `draw()` returns the next item or nothing.
  template <class Draw>
  std::optional<T> next(Draw&& draw) {
    while (!drained_) {
      std::optional<T> item = draw();
      if (!item) {
        drained_ = true;
        shuffle_in_place(held_.data(), held_.size(), words_);
      } else if (held_.size() < size_) {
        held_.push_back(std::move(*item));
      } else {
        std::swap(*item, held_[words_.below(size_)]);
        return item;
      }
    }
    if (left_ == held_.size()) return {};
    return std::move(held_[left_++]);
  }

 private:
  std::size_t size_;
  WordStream words_;
  std::vector<T> held_;
  std::size_t left_ = 0;
  bool drained_ = false;
};

}  // namespace spiraltorch::data
