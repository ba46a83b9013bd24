#include "spiraltorch/data/data_loader.hpp"

#include <cmath>

#include "data/batches.hpp"
#include "data/iterator.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

using data::Order;
using Plan = DataLoader::Plan;

void at_least(const char* op, const char* what, std::int64_t got, std::int64_t least) {
  if (got < least) {
    fail(Errc::invalid_value, op, text(what, ": got ", got, ", expected one >= ", least));
  }
}

void check_sized(const char* op, const Plan& plan, const char* hint) {
  if (!plan.source->sized()) {
    fail(Errc::invalid_value, op, text("source: got one without a length, expected ", hint));
  }
}

std::shared_ptr<const Plan> ordered(const std::shared_ptr<const Plan>& plan, Order order) {
  auto out = std::make_shared<Plan>(*plan);
  order.before = plan->order;
  out->order = std::make_shared<const Order>(std::move(order));
  return out;
}

std::uint32_t checked_epoch(const char* op, std::int64_t epoch) {
  if (epoch < 0 || epoch >> 32 != 0) {
    fail(Errc::invalid_value, op, text("epoch: got ", epoch, ", expected one in [0, 2**32)"));
  }
  return static_cast<std::uint32_t>(epoch);
}

}  // namespace

DataLoader::DataLoader(std::shared_ptr<const SampleSource> source) {
  auto plan = std::make_shared<Plan>();
  plan->source = std::move(source);
  plan_ = std::move(plan);
}

DataLoader::DataLoader(std::shared_ptr<const Plan> plan) noexcept : plan_(std::move(plan)) {}

DataLoader DataLoader::shuffle(std::uint64_t seed, std::optional<std::int64_t> window) const {
  if (!window) {
    check_sized("shuffle", *plan_, "a window");
    return DataLoader(ordered(plan_, {.kind = Order::Kind::shuffle, .seed = seed}));
  }
  at_least("shuffle", "window", *window, 1);
  return DataLoader(ordered(plan_, {.kind = Order::Kind::window, .seed = seed, .n = *window}));
}

DataLoader DataLoader::take(std::int64_t n) const {
  at_least("take", "n", n, 0);
  return DataLoader(ordered(plan_, {.kind = Order::Kind::take, .n = n}));
}

DataLoader DataLoader::skip(std::int64_t n) const {
  at_least("skip", "n", n, 0);
  return DataLoader(ordered(plan_, {.kind = Order::Kind::skip, .n = n}));
}

std::pair<DataLoader, DataLoader> DataLoader::split(double fraction,
                                                    std::optional<std::uint64_t> seed) const {
  if (!(fraction >= 0.0 && fraction <= 1.0)) {
    fail(Errc::invalid_value, "split",
         text("fraction: got ", fraction, ", expected one in [0, 1]"));
  }
  check_sized("split", *plan_, "one with a length");
  require(!has(plan_->order, Order::Kind::shuffle) && !has(plan_->order, Order::Kind::window),
          Errc::invalid_value, "split",
          "order: got a shuffled loader, whose parts would mix between epochs, expected split "
          "before shuffle");
  const auto part = [&](Order::Kind kind) {
    return DataLoader(ordered(plan_, {.kind = kind, .seed = seed, .fraction = fraction}));
  };
  return {part(Order::Kind::split_first), part(Order::Kind::split_rest)};
}

DataLoader DataLoader::shard(std::int64_t rank, std::int64_t world, bool even) const {
  at_least("shard", "world", world, 1);
  if (rank < 0 || rank >= world) {
    fail(Errc::invalid_value, "shard",
         text("rank: got ", rank, ", expected one in [0, ", world, ")"));
  }
  if (even) check_sized("shard", *plan_, "one with a length for even shards");
  return DataLoader(
      ordered(plan_, {.kind = Order::Kind::shard, .n = rank, .world = world, .even = even}));
}

DataLoader DataLoader::map(SampleMap f) const {
  require(static_cast<bool>(f), Errc::invalid_value, "map", "fn: got none, expected a function");
  auto out = std::make_shared<Plan>(*plan_);
  out->maps = std::make_shared<const MapList>(MapList{std::move(f), plan_->maps});
  return DataLoader(std::shared_ptr<const Plan>(std::move(out)));
}

DataLoader DataLoader::batched(std::int64_t n, bool drop_last) const {
  at_least("batched", "n", n, 1);
  auto out = std::make_shared<Plan>(*plan_);
  out->batch = n;
  out->drop_last = drop_last;
  return DataLoader(std::shared_ptr<const Plan>(std::move(out)));
}

DataLoader DataLoader::prefetch(std::int64_t depth) const {
  at_least("prefetch", "depth", depth, 0);
  auto out = std::make_shared<Plan>(*plan_);
  out->depth = depth;
  return DataLoader(std::shared_ptr<const Plan>(std::move(out)));
}

std::optional<std::int64_t> DataLoader::len() const {
  if (!plan_->source->sized()) return {};
  return length(plan_->order, plan_->source->size());
}

std::optional<std::int64_t> DataLoader::num_batches() const {
  const auto samples = len();
  if (!samples) return {};
  return *samples / plan_->batch + (!plan_->drop_last && *samples % plan_->batch != 0 ? 1 : 0);
}

bool DataLoader::is_empty() const {
  const auto samples = len();
  require(samples.has_value(), Errc::dtype, "is_empty",
          "source: got one without a length, expected one with a length");
  return *samples == 0;
}

std::int64_t DataLoader::batch_size() const noexcept { return plan_->batch; }
bool DataLoader::drop_last() const noexcept { return plan_->drop_last; }
std::int64_t DataLoader::prefetch_depth() const noexcept { return plan_->depth; }
std::uint64_t DataLoader::epoch() const noexcept { return plan_->epoch; }

std::string DataLoader::repr() const {
  const auto samples = len();
  return text("DataLoader(len=", samples ? text(*samples) : std::string("None"),
              ", batch_size=", plan_->batch, ")");
}

DataIterator DataLoader::iter() const {
  std::uint64_t epoch = plan_->epoch;
  do {
    (void)checked_epoch("iter", static_cast<std::int64_t>(epoch));
  } while (!plan_->epoch.compare_exchange_weak(epoch, epoch + 1));
  return DataIterator(
      std::make_shared<DataIterator::State>(plan_, static_cast<std::uint32_t>(epoch)));
}

void DataLoader::set_epoch(std::int64_t epoch) const {
  plan_->epoch = checked_epoch("set_epoch", epoch);
}

DataIterator DataLoader::at_epoch(std::int64_t epoch) const {
  return DataIterator(
      std::make_shared<DataIterator::State>(plan_, checked_epoch("at_epoch", epoch)));
}

}  // namespace spiraltorch
