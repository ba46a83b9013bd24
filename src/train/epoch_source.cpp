#include "spiraltorch/train/epoch_source.hpp"

#include <memory>
#include <utility>

#include "spiraltorch/base/error.hpp"

namespace spiraltorch {
namespace {

// The last copy of the function ends the pass, and with it a prefetching thread.
NextBatch batches_of(DataIterator iterator) {
  auto shared = std::make_shared<DataIterator>(std::move(iterator));
  return [shared] { return shared->next(); };
}

}  // namespace

EpochSource::EpochSource(const DataLoader& loader) : loader_(loader) {}

EpochSource::EpochSource(std::function<NextBatch()> start) : start_(std::move(start)) {
  require(start_ != nullptr, Errc::invalid_value, "EpochSource",
          "start: got none, expected a function");
}

NextBatch EpochSource::next_epoch() const {
  return loader_ ? batches_of(loader_->iter()) : start_();
}

NextBatch EpochSource::for_evaluation() const {
  return loader_ ? batches_of(loader_->at_epoch(0)) : start_();
}

std::optional<std::int64_t> EpochSource::num_batches() const {
  if (!loader_) return {};
  return loader_->num_batches();
}

}  // namespace spiraltorch
