#include "data/order.hpp"

#include <algorithm>
#include <cmath>

namespace spiraltorch::data {
namespace {

using Kind = Order::Kind;

std::vector<const Order*> chain(const OrderList& order) {
  std::vector<const Order*> out;
  for (const Order* one = order.get(); one != nullptr; one = one->before.get()) out.push_back(one);
  std::reverse(out.begin(), out.end());
  return out;
}

// m of the first part: the default rounding mode takes halves to even.
std::int64_t first_part(const Order& o, std::int64_t count) {
  return std::min(
      count, static_cast<std::int64_t>(std::nearbyint(o.fraction * static_cast<double>(count))));
}

std::int64_t sharded(const Order& o, std::int64_t count) {
  const std::int64_t whole = o.even ? count / o.world * o.world : count;
  return whole <= o.n ? 0 : (whole - o.n - 1) / o.world + 1;
}

std::int64_t length(const Order& o, std::int64_t count) {
  switch (o.kind) {
    case Kind::take:
      return std::min(o.n, count);
    case Kind::skip:
      return count - std::min(o.n, count);
    case Kind::split_first:
      return first_part(o, count);
    case Kind::split_rest:
      return count - first_part(o, count);
    case Kind::shard:
      return sharded(o, count);
    default:
      return count;
  }
}

// The positions behind `p`, taken in the order of `numbers`.
Positions through(const Positions& p, std::vector<std::int64_t> numbers) {
  for (std::int64_t& number : numbers) number = p.at(number);
  Positions out;
  out.count = std::ssize(numbers);
  out.table = std::make_shared<const std::vector<std::int64_t>>(std::move(numbers));
  return out;
}

std::vector<std::int64_t> window_order(const Order& o, std::int64_t count, std::uint32_t epoch) {
  Window<std::int64_t> window(o.n, *o.seed, epoch);
  std::vector<std::int64_t> out;
  out.reserve(static_cast<std::size_t>(count));
  std::int64_t drawn = 0;
  const auto draw = [&]() -> std::optional<std::int64_t> {
    if (drawn == count) return {};
    return drawn++;
  };
  while (const auto item = window.next(draw)) out.push_back(*item);
  return out;
}

Positions applied(const Order& o, Positions p, std::uint32_t epoch) {
  const std::int64_t count = length(o, p.count);
  switch (o.kind) {
    case Kind::shuffle:
      return through(p, permutation(p.count, *o.seed, epoch, PhiloxDomain::loader));
    case Kind::window:
      return through(p, window_order(o, p.count, epoch));
    case Kind::split_first:
    case Kind::split_rest:
      if (o.seed) p = through(p, permutation(p.count, *o.seed, 0, PhiloxDomain::split));
      if (o.kind == Kind::split_rest) p.start += (p.count - count) * p.step;
      break;
    case Kind::skip:
      p.start += (p.count - count) * p.step;
      break;
    case Kind::shard:
      if (count > 0) p.start += o.n * p.step;
      p.step = count > 1 ? p.step * o.world : 1;
      break;
    case Kind::take:
      break;
  }
  p.count = count;
  return p;
}

// The adapters that need no length.
class AdaptedStream final : public SampleStream {
 public:
  AdaptedStream(const Order& order, std::unique_ptr<SampleStream> inner, std::uint32_t epoch)
      : order_(order), inner_(std::move(inner)) {
    if (order.kind == Kind::window) window_.emplace(order.n, *order.seed, epoch);
  }

  std::optional<Sample> next() override {
    if (window_) {
      return window_->next([&] { return inner_->next(); });
    }
    if (order_.kind == Kind::take) {
      if (drawn_ >= order_.n) return {};
      ++drawn_;
      return inner_->next();
    }
    // skip and shard: what to pass over before the first sample, and before each later one.
    std::int64_t passed = order_.n;
    if (drawn_ > 0) passed = order_.kind == Kind::shard ? order_.world - 1 : 0;
    for (; passed > 0; --passed) {
      if (!inner_->next()) return {};
    }
    ++drawn_;
    return inner_->next();
  }

 private:
  Order order_;
  std::unique_ptr<SampleStream> inner_;
  std::optional<Window<Sample>> window_;
  std::int64_t drawn_ = 0;
};

}  // namespace

bool has(const OrderList& order, Kind kind) noexcept {
  for (const Order* one = order.get(); one != nullptr; one = one->before.get()) {
    if (one->kind == kind) return true;
  }
  return false;
}

std::int64_t length(const OrderList& order, std::int64_t size) {
  for (const Order* one : chain(order)) size = length(*one, size);
  return size;
}

Positions positions(const OrderList& order, std::int64_t size, std::uint32_t epoch) {
  Positions out;
  out.count = size;
  for (const Order* one : chain(order)) out = applied(*one, std::move(out), epoch);
  return out;
}

bool streams(const OrderList& order) noexcept {
  for (const Order* one = order.get(); one != nullptr; one = one->before.get()) {
    if (one->kind != Kind::take && one->kind != Kind::window) return false;
  }
  return true;
}

std::unique_ptr<SampleStream> streamed(const OrderList& order, std::unique_ptr<SampleStream> source,
                                       std::uint32_t epoch) {
  for (const Order* one : chain(order)) {
    source = std::make_unique<AdaptedStream>(*one, std::move(source), epoch);
  }
  return source;
}

}  // namespace spiraltorch::data
