#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "data/batches.hpp"

namespace spiraltorch {
namespace data {

/// One thread that makes batches ahead of the consumer into a queue of `depth`.
class Prefetcher {
 public:
  Prefetcher(std::unique_ptr<BatchMaker> maker, std::int64_t depth);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  [[nodiscard]] std::optional<Batch> next();
  void close() noexcept;

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;
  std::mutex join_;
  std::thread thread_;
  std::thread::id producer_;
};

}  // namespace data

class DataIterator::State {
 public:
  State(std::shared_ptr<const DataLoader::Plan> plan, std::uint32_t epoch);
  [[nodiscard]] std::optional<Batch> next();
  void close() noexcept;

 private:
  std::unique_ptr<data::Prefetcher> prefetcher_;
  // Without prefetch:
  std::unique_ptr<data::BatchMaker> maker_;
  std::mutex mutex_;
  bool ended_ = false;
  std::atomic<bool> closed_{false};
};

}  // namespace spiraltorch
