#include "data/iterator.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace spiraltorch {
namespace data {

// What the producer and the consumer share. The thread holds it too, so that an iterator dropped on
// the producer's own thread (inside a map) can leave it behind.
struct Prefetcher::Queue {
  explicit Queue(std::unique_ptr<BatchMaker> m, std::size_t d) : maker(std::move(m)), depth(d) {}

  std::unique_ptr<BatchMaker> maker;
  const std::size_t depth;
  std::mutex mutex;
  std::condition_variable room;
  std::condition_variable ready;
  std::deque<Batch> batches;
  std::exception_ptr failure;
  bool stop = false;
  bool done = false;

  // False once stopped.
  bool push(Batch batch) {
    std::unique_lock lock(mutex);
    room.wait(lock, [&] { return stop || batches.size() < depth; });
    if (stop) return false;
    batches.push_back(std::move(batch));
    ready.notify_one();
    return true;
  }

  void produce() noexcept {
    std::exception_ptr caught;
    try {
      while (auto batch = maker->next()) {
        if (!push(std::move(*batch))) break;
      }
    } catch (...) {
      caught = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    failure = std::move(caught);
    done = true;
    ready.notify_all();
  }
};

Prefetcher::Prefetcher(std::unique_ptr<BatchMaker> maker, std::int64_t depth)
    : queue_(std::make_shared<Queue>(std::move(maker), static_cast<std::size_t>(depth))),
      thread_([queue = queue_] { queue->produce(); }),
      producer_(thread_.get_id()) {}

Prefetcher::~Prefetcher() {
  close();
  if (thread_.joinable()) thread_.detach();  // dropped inside a map
}

std::optional<Batch> Prefetcher::next() {
  std::unique_lock lock(queue_->mutex);
  queue_->ready.wait(lock,
                     [&] { return queue_->stop || queue_->done || !queue_->batches.empty(); });
  if (queue_->stop) return {};
  if (!queue_->batches.empty()) {
    Batch batch = std::move(queue_->batches.front());
    queue_->batches.pop_front();
    queue_->room.notify_one();
    return batch;
  }
  const std::exception_ptr failure = std::exchange(queue_->failure, nullptr);
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
  return {};
}

void Prefetcher::close() noexcept {
  std::deque<Batch> drained;
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->stop = true;
    queue_->maker->stop();
    drained.swap(queue_->batches);
    queue_->room.notify_all();
    queue_->ready.notify_all();
  }
  if (producer_ == std::this_thread::get_id()) return;
  const std::lock_guard joining(join_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace data

DataIterator::State::State(std::shared_ptr<const DataLoader::Plan> plan, std::uint32_t epoch) {
  const std::int64_t depth = plan->depth;
  auto maker = std::make_unique<data::BatchMaker>(std::move(plan), epoch);
  if (depth == 0) {
    maker_ = std::move(maker);
  } else {
    prefetcher_ = std::make_unique<data::Prefetcher>(std::move(maker), depth);
  }
}

std::optional<Batch> DataIterator::State::next() {
  if (prefetcher_) return prefetcher_->next();
  const std::lock_guard lock(mutex_);
  if (ended_) return {};
  ended_ = true;  // also when the next line throws
  std::optional<Batch> batch = maker_->next();
  if (batch && !closed_) ended_ = false;
  return batch;
}

void DataIterator::State::close() noexcept {
  if (prefetcher_) {
    prefetcher_->close();
  } else {
    closed_ = true;
    maker_->stop();
  }
}

std::optional<Batch> DataIterator::next() { return state_->next(); }

void DataIterator::close() noexcept { state_->close(); }

}  // namespace spiraltorch
