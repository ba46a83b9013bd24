#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "embed/schedule.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/runtime/buffer.hpp"

namespace spiraltorch {

/// A table in training: float32 on a device, and in float64 beside it where that is the dtype.
struct EmbeddingTable {
  Tensor narrow;
  std::vector<double> wide;
};

/// Epochs on a table: what stays on the device between them.
class EmbeddingTraining {
 public:
  EmbeddingTraining(const TrainingLinks& links, const EmbeddingOptions& options,
                    const Schedule& schedule);

  /// The table that `points` (row by row) start from.
  [[nodiscard]] EmbeddingTable table_of(const std::vector<double>& points) const;
  /// One epoch in place; returns the mean loss of a pair.
  [[nodiscard]] double epoch(EmbeddingTable& table, std::int64_t epoch) const;

  [[nodiscard]] std::int64_t pairs() const { return std::ssize(links_.links.ids); }
  [[nodiscard]] DeviceId device() const noexcept { return device_; }

 private:
  double batch_epoch(EmbeddingTable& table, std::int64_t epoch) const;
  double pool_epoch(EmbeddingTable& table, std::int64_t epoch) const;
  [[nodiscard]] double scale() const;

  const TrainingLinks& links_;
  const EmbeddingOptions& options_;
  const Schedule& schedule_;
  std::vector<std::int32_t> items_;  // of batches
  bool weighted_;
  DeviceId device_;
  std::shared_ptr<Buffer> offsets_, linked_, weights_, preorder_, sizes_;
};

}  // namespace spiraltorch
