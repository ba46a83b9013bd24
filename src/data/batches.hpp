#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "data/order.hpp"
#include "spiraltorch/data/data_loader.hpp"

namespace spiraltorch {

/// The transformations of samples, first to last.
struct MapList {
  SampleMap f;
  std::shared_ptr<const MapList> before;
};

struct DataLoader::Plan {
  std::shared_ptr<const SampleSource> source;
  data::OrderList order{};
  std::shared_ptr<const MapList> maps{};
  std::int64_t batch = 1;
  bool drop_last = false;
  std::int64_t depth = 0;
  mutable std::atomic<std::uint64_t> epoch{0};

  Plan() = default;
  // A new loader begins at epoch 0.
  Plan(const Plan& o)
      : source(o.source),
        order(o.order),
        maps(o.maps),
        batch(o.batch),
        drop_last(o.drop_last),
        depth(o.depth) {}
  Plan& operator=(const Plan&) = delete;
  ~Plan() = default;
};

namespace data {

/// Makes one epoch's batches, one after the other, on the calling thread. The order is computed
/// with the first.
class BatchMaker {
 public:
  BatchMaker(std::shared_ptr<const DataLoader::Plan> plan, std::uint32_t epoch);
  [[nodiscard]] std::optional<Batch> next();
  /// Makes `next` return nothing before its next sample; from any thread.
  void stop() noexcept { stopped_ = true; }

 private:
  void start();
  [[nodiscard]] std::optional<Batch> next_streamed();
  [[nodiscard]] std::optional<Batch> next_numbered();
  [[nodiscard]] Sample mapped(Sample sample) const;

  std::shared_ptr<const DataLoader::Plan> plan_;
  std::uint32_t epoch_;
  std::vector<const SampleMap*> maps_;
  std::unique_ptr<SampleStream> stream_;
  Positions positions_;
  std::int64_t drawn_ = 0;
  bool started_ = false;
  std::atomic<bool> stopped_{false};
};

}  // namespace data
}  // namespace spiraltorch
