#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// An input and its target, usually of one row; a batch is the same with more rows.
struct Sample {
  Tensor input;
  Tensor target;
};
using Batch = Sample;
using SampleMap = std::function<Sample(Sample)>;

/// One pass over samples in order.
class SPIRALTORCH_API SampleStream {
 public:
  SampleStream() = default;
  virtual ~SampleStream();
  SampleStream(const SampleStream&) = delete;
  SampleStream& operator=(const SampleStream&) = delete;
  /// The next sample, or nothing at the end.
  [[nodiscard]] virtual std::optional<Sample> next() = 0;
};

/// Where a loader's samples come from. Members are called from several threads at once.
class SPIRALTORCH_API SampleSource {
 public:
  SampleSource() = default;
  virtual ~SampleSource();
  SampleSource(const SampleSource&) = delete;
  SampleSource& operator=(const SampleSource&) = delete;

  /// Whether there is a length, and samples can be had by number.
  [[nodiscard]] virtual bool sized() const noexcept { return true; }
  /// Number of samples; may build an index first.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual Sample at(std::int64_t index) const = 0;
  /// The samples of these numbers, concatenated by rows.
  [[nodiscard]] virtual Batch gather(std::span<const std::int64_t> indices) const;
  /// A pass without an index, where that is cheaper; null: by number.
  [[nodiscard]] virtual std::unique_ptr<SampleStream> stream() const;
};

/// Inputs and targets, each concatenated by rows; `shape_mismatch` for unequal widths.
[[nodiscard]] SPIRALTORCH_API Batch concatenate(std::span<const Sample> samples);

}  // namespace spiraltorch
