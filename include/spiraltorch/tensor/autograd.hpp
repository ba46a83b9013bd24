#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "spiraltorch/tensor/row_gradient.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// Whether operations on tracked tensors are recorded on this thread (they are, unless a NoGrad
/// lives).
[[nodiscard]] SPIRALTORCH_API bool grad_enabled() noexcept;
SPIRALTORCH_API void set_grad_enabled(bool enabled) noexcept;

/// While it lives, nothing is recorded on this thread.
class NoGrad {
 public:
  NoGrad() : before_(grad_enabled()) { set_grad_enabled(false); }
  ~NoGrad() { set_grad_enabled(before_); }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// What a backward function gets.
struct BackwardContext {
  const Tensor& gradient;            ///< of the result, in its shape
  const std::vector<Tensor>& saved;  ///< as given to `record`
  const std::vector<bool>& needed;   ///< per input: whether its gradient is wanted
  /// Where not null, the first input's gradient may be put here instead of being returned: rows of
  /// a table, each in its range, repeated ones meaning their sum.
  std::optional<detail::RowGradient>* rows = nullptr;
};

/// One gradient an input, empty where none is needed. Runs without recording.
using BackwardFunction = std::function<std::vector<std::optional<Tensor>>(const BackwardContext&)>;

/// Whether an operation on these inputs must be recorded.
[[nodiscard]] SPIRALTORCH_API bool is_recorded(std::initializer_list<const Tensor*> inputs);

/// Makes `result` the outcome of a recorded operation if any input is tracked and recording is on;
/// returns it. `saved` are the tensors that the backward function reads: their storage is kept,
/// and in-place changes of it are refused, until the graph is freed.
SPIRALTORCH_API Tensor record(Tensor result, std::string_view op, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& saved, BackwardFunction backward);

/// Throws `graph` unless `target` may be changed in place now (spec 1, section 4).
SPIRALTORCH_API void check_inplace(std::string_view op, const Tensor& target);

/// Throws `device` unless all tensors live on one device.
SPIRALTORCH_API void check_same_device(std::string_view op,
                                       std::initializer_list<const Tensor*> tensors);

}  // namespace spiraltorch
