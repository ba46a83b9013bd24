#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/shape.hpp"
#include "spiraltorch/runtime/buffer.hpp"
#include "spiraltorch/runtime/kernel.hpp"

namespace spiraltorch {

/// A two-dimensional, row-major matrix of integers: columns found by rank selection, counts.
/// int32, or int64 where an element may exceed it. A handle: copies share storage. Axes may be 0.
class SPIRALTORCH_API IndexTensor {
 public:
  /// Uninitialised memory. `invalid_shape` for a negative axis; `dtype` unless i32 or i64.
  [[nodiscard]] static IndexTensor empty(std::int64_t rows, std::int64_t cols, ElementType type,
                                         DeviceId device = {});
  /// Copies rows·cols integers; `length_mismatch` otherwise, `invalid_value` for one beyond `type`.
  [[nodiscard]] static IndexTensor from_values(std::int64_t rows, std::int64_t cols,
                                               const std::vector<std::int64_t>& values,
                                               ElementType type = ElementType::i32,
                                               DeviceId device = {});

  [[nodiscard]] std::int64_t rows() const noexcept { return shape_.rows; }
  [[nodiscard]] std::int64_t cols() const noexcept { return shape_.cols; }
  [[nodiscard]] std::int64_t size() const noexcept { return shape_.size(); }
  [[nodiscard]] Shape shape() const noexcept { return shape_; }
  [[nodiscard]] ElementType type() const noexcept { return type_; }
  /// "int32" or "int64".
  [[nodiscard]] std::string dtype() const;
  [[nodiscard]] DeviceId device() const noexcept { return buffer_->device(); }
  [[nodiscard]] const std::shared_ptr<Buffer>& buffer() const noexcept { return buffer_; }
  /// Flat row-major copy.
  [[nodiscard]] std::vector<std::int64_t> data() const;
  [[nodiscard]] std::vector<std::vector<std::int64_t>> tolist() const;
  /// The element of a (1,1) tensor, else `shape_mismatch`.
  [[nodiscard]] std::int64_t item() const;
  /// Negative positions count from the end; `out_of_range`.
  [[nodiscard]] std::int64_t at(std::int64_t i, std::int64_t j) const;
  /// The same tensor if it is there already, else a copy.
  [[nodiscard]] IndexTensor to(DeviceId device) const;
  /// The smallest and the largest element, (0, -1) without elements. Host memory is read each time,
  /// for others may write it; a device's at most once a tensor, its copies included.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> bounds() const;
  [[nodiscard]] std::string repr() const;
  [[nodiscard]] KernelOperand operand() const;

 private:
  struct Bounds;
  IndexTensor(std::shared_ptr<Buffer> buffer, Shape shape, ElementType type);
  std::shared_ptr<Buffer> buffer_;
  std::shared_ptr<Bounds> bounds_;  // of memory on a device
  Shape shape_;
  ElementType type_;
};

}  // namespace spiraltorch
