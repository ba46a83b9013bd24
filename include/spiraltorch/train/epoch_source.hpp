#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/data/data_loader.hpp"

namespace spiraltorch {

/// The next batch of a pass, or nothing at its end.
using NextBatch = std::function<std::optional<Batch>()>;

/// Where a trainer gets its batches from: a loader, or anything that can be gone through.
class SPIRALTORCH_API EpochSource {
 public:
  /// Each training epoch is the loader's next one; evaluation is its epoch 0.
  EpochSource(const DataLoader& loader);  // NOLINT(google-explicit-constructor)
  /// `start` begins a pass.
  explicit EpochSource(std::function<NextBatch()> start);

  [[nodiscard]] NextBatch next_epoch() const;
  [[nodiscard]] NextBatch for_evaluation() const;
  /// Batches of a pass, where known.
  [[nodiscard]] std::optional<std::int64_t> num_batches() const;
  [[nodiscard]] const std::optional<DataLoader>& loader() const noexcept { return loader_; }

 private:
  std::optional<DataLoader> loader_;
  std::function<NextBatch()> start_;
};

}  // namespace spiraltorch
