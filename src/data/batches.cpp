#include "data/batches.hpp"

#include <algorithm>

namespace spiraltorch::data {

BatchMaker::BatchMaker(std::shared_ptr<const DataLoader::Plan> plan, std::uint32_t epoch)
    : plan_(std::move(plan)), epoch_(epoch) {
  for (const MapList* one = plan_->maps.get(); one != nullptr; one = one->before.get()) {
    maps_.push_back(&one->f);
  }
  std::reverse(maps_.begin(), maps_.end());
}

void BatchMaker::start() {
  started_ = true;
  const SampleSource& source = *plan_->source;
  if (!source.sized() || streams(plan_->order)) {
    if (auto stream = source.stream()) {
      stream_ = streamed(plan_->order, std::move(stream), epoch_);
      return;
    }
  }
  positions_ = positions(plan_->order, source.size(), epoch_);
}

Sample BatchMaker::mapped(Sample sample) const {
  for (const SampleMap* f : maps_) sample = (*f)(std::move(sample));
  return sample;
}

std::optional<Batch> BatchMaker::next() {
  if (!started_) start();
  return stream_ ? next_streamed() : next_numbered();
}

std::optional<Batch> BatchMaker::next_streamed() {
  std::vector<Sample> samples;
  while (std::ssize(samples) < plan_->batch) {
    if (stopped_) return {};
    std::optional<Sample> sample = stream_->next();
    if (!sample) break;
    samples.push_back(mapped(std::move(*sample)));
  }
  if (samples.empty()) return {};
  if (plan_->drop_last && std::ssize(samples) < plan_->batch) return {};
  return concatenate(samples);
}

std::optional<Batch> BatchMaker::next_numbered() {
  const std::int64_t count = std::min(plan_->batch, positions_.count - drawn_);
  if (stopped_ || count <= 0 || (plan_->drop_last && count < plan_->batch)) return {};
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  for (std::int64_t& number : numbers) number = positions_.at(drawn_++);
  if (maps_.empty()) return plan_->source->gather(numbers);
  std::vector<Sample> samples;
  samples.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    if (stopped_) return {};
    samples.push_back(mapped(plan_->source->at(number)));
  }
  return concatenate(samples);
}

}  // namespace spiraltorch::data
