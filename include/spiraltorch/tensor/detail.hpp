#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "spiraltorch/base/shape.hpp"
#include "spiraltorch/runtime/buffer.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/tensor.hpp"

/// What operations need of a tensor's inside. Not part of the API.
namespace spiraltorch::detail {

struct GraphNode;
struct RowGradient;

/// Memory shared by handles, detached tensors and exchange partners.
struct Storage {
  std::shared_ptr<Buffer> buffer;
  std::atomic<int> kept{0};       ///< live graph nodes that read it in their backward pass
  std::function<void()> explain;  ///< called by a reader on the host who finds a NaN
};

/// Where a leaf's gradient goes instead of into `grad`, while `takes()`.
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  [[nodiscard]] virtual bool takes() const = 0;
  /// Checks one pass' contribution; the function returned stores it and does not throw.
  [[nodiscard]] virtual std::function<void()> prepare(const Tensor& contribution) = 0;
  [[nodiscard]] virtual Tensor gradient() const = 0;
  /// Replaces what was gathered; nothing stands for zero.
  virtual void assign(const std::optional<Tensor>& gradient) = 0;
};

struct TensorImpl {
  std::shared_ptr<Storage> storage;
  Shape shape;
  bool requires_grad = false;
  std::optional<Tensor> grad;                   // leaves only
  std::shared_ptr<const RowGradient> row_grad;  // the same of few rows; then `grad` is absent
  std::shared_ptr<GradientSink> sink;           // parameters only
  std::shared_ptr<GraphNode> node;              // results of recorded operations only
};

/// Uninitialised memory whose axes may be 0: results of rank selection only.
[[nodiscard]] SPIRALTORCH_API Tensor empty_result(Shape shape, DeviceId device);

/// Has `explain` look for the reason, and throw it, if a (1,1) result is NaN: at once where the
/// host can see it, else when it is read there. So a kernel's finding costs no read of its own.
SPIRALTORCH_API void explain_nan(const Tensor& result, std::function<void()> explain);

/// The tensor as a contiguous kernel operand.
[[nodiscard]] inline KernelOperand operand_of(const Tensor& x) {
  return operand(*x.buffer(), x.shape());
}

/// The tensor repeated to `shape` by zero strides.
[[nodiscard]] inline KernelOperand operand_of(const Tensor& x, Shape shape) {
  KernelOperand out = operand(*x.buffer(), shape);
  out.row_stride = x.rows() == 1 && shape.rows != 1 ? 0 : x.cols();
  out.col_stride = x.cols() == 1 && shape.cols != 1 ? 0 : 1;
  return out;
}

}  // namespace spiraltorch::detail
