#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/shape.hpp"
#include "spiraltorch/runtime/buffer.hpp"

namespace spiraltorch {

namespace detail {
struct TensorImpl;
}

/// Keywords every constructor takes.
struct TensorOptions {
  bool requires_grad = false;
  DeviceId device{};
};

/// Axis of a reduction: the whole tensor, down the columns (result (1,c)), along the rows (r,1).
enum class Axis : std::int8_t { all = -1, rows = 0, cols = 1 };

/// A range of an axis as in Python's a:b:s; negative positions count from the end.
struct Slice {
  std::optional<std::int64_t> start{};
  std::optional<std::int64_t> stop{};
  std::int64_t step = 1;
};

/// Gradient computation of one recorded operation, see tensor/autograd.hpp.
struct BackwardContext;

/// A two-dimensional, row-major float32 matrix: each row is a point or a sample.
///
/// A Tensor is a handle: copies share storage, flags and gradient; `clone()` copies the data.
/// Besides handles only `detach()` and zero-copy exchange share storage. Elements may be
/// non-finite. Operations run where their operands live (tensor/ops), record gradients for
/// tracked operands, and throw `invalid_shape`, `shape_mismatch`, `device`, `graph` as named in
/// spec 1, sections 3 and 4; a call that throws changes nothing.
///
/// @code
///   Tensor x(2, 2, {1, 2, 3, 4});
///   Tensor y = x.matmul(x) + x.sum(Axis::rows);
/// @endcode
class SPIRALTORCH_API Tensor {
 public:
  // --- construction -------------------------------------------------------------------------
  /// Zeros.
  Tensor(std::int64_t rows, std::int64_t cols, TensorOptions options = {});
  /// Copies rows·cols numbers in row-major order; `length_mismatch` otherwise.
  Tensor(std::int64_t rows, std::int64_t cols, std::span<const float> data,
         TensorOptions options = {});
  /// The same, each number rounded to float32.
  Tensor(std::int64_t rows, std::int64_t cols, std::span<const double> data,
         TensorOptions options = {});
  Tensor(std::int64_t rows, std::int64_t cols, std::initializer_list<float> data,
         TensorOptions options = {});

  [[nodiscard]] static Tensor zeros(std::int64_t rows, std::int64_t cols, TensorOptions o = {});
  [[nodiscard]] static Tensor ones(std::int64_t rows, std::int64_t cols, TensorOptions o = {});
  [[nodiscard]] static Tensor full(std::int64_t rows, std::int64_t cols, double value,
                                   TensorOptions o = {});
  [[nodiscard]] static Tensor eye(std::int64_t n, std::optional<std::int64_t> cols = {},
                                  TensorOptions o = {});
  /// Uniform on [0, 1); without a seed from the process-wide generator (base/philox.hpp).
  [[nodiscard]] static Tensor rand(std::int64_t rows, std::int64_t cols,
                                   std::optional<std::uint64_t> seed = {}, TensorOptions o = {});
  /// Standard normal.
  [[nodiscard]] static Tensor randn(std::int64_t rows, std::int64_t cols,
                                    std::optional<std::uint64_t> seed = {}, TensorOptions o = {});
  /// `empty_input` without rows, `length_mismatch` for ragged ones.
  [[nodiscard]] static Tensor from_rows(std::span<const std::vector<double>> rows,
                                        TensorOptions o = {});
  /// Element (i, j) = f(i, j).
  [[nodiscard]] static Tensor from_fn(std::int64_t rows, std::int64_t cols,
                                      const std::function<double(std::int64_t, std::int64_t)>& f,
                                      TensorOptions o = {});
  /// Shares 64-bit-aligned or at least float-aligned host memory that `owner` keeps alive.
  [[nodiscard]] static Tensor adopt(float* data, std::int64_t rows, std::int64_t cols,
                                    std::shared_ptr<void> owner, bool requires_grad = false);
  /// Uninitialised memory, for operations that write every element.
  [[nodiscard]] static Tensor empty(std::int64_t rows, std::int64_t cols, DeviceId device = {});
  /// Below each other / beside each other; empty list → `empty_input`.
  [[nodiscard]] static Tensor cat_rows(std::span<const Tensor> parts);
  [[nodiscard]] static Tensor cat_cols(std::span<const Tensor> parts);

  // --- facts and host access ----------------------------------------------------------------
  [[nodiscard]] std::int64_t rows() const noexcept;
  [[nodiscard]] std::int64_t cols() const noexcept;
  [[nodiscard]] std::int64_t size() const noexcept;
  [[nodiscard]] Shape shape() const noexcept;
  [[nodiscard]] DeviceId device() const noexcept;
  /// Flat row-major copy.
  [[nodiscard]] std::vector<float> data() const;
  /// Rows, widened to double.
  [[nodiscard]] std::vector<std::vector<double>> tolist() const;
  /// The element of a (1,1) tensor, else `shape_mismatch`.
  [[nodiscard]] double item() const;
  /// `Tensor([[0.1, 0.2], …])`, see spec 1, 3.2.
  [[nodiscard]] std::string repr() const;
  [[nodiscard]] const std::shared_ptr<Buffer>& buffer() const noexcept;
  /// Host exchange: the elements in place for a CPU tensor, else a copy kept alive by the return
  /// value. Never written through.
  [[nodiscard]] std::shared_ptr<const float> host() const;
  /// Whether two handles are the same tensor.
  [[nodiscard]] bool is_same(const Tensor& other) const noexcept { return impl_ == other.impl_; }
  /// A number that is equal exactly for handles of one tensor.
  [[nodiscard]] std::uintptr_t identity() const noexcept {
    return reinterpret_cast<std::uintptr_t>(impl_.get());
  }

  // --- copies -------------------------------------------------------------------------------
  [[nodiscard]] Tensor clone() const;
  /// Same storage, not tracked.
  [[nodiscard]] Tensor detach() const;
  [[nodiscard]] Tensor to(DeviceId device) const;
  [[nodiscard]] Tensor transpose() const;
  /// Same elements in another shape (a copy); -1 for one side infers it.
  [[nodiscard]] Tensor reshape(std::int64_t rows, std::int64_t cols) const;
  [[nodiscard]] Tensor slice(Slice rows, Slice cols) const;
  [[nodiscard]] Tensor row(std::int64_t i) const;
  [[nodiscard]] double at(std::int64_t i, std::int64_t j) const;

  // --- arithmetic (broadcasting: (1,c), (r,1), (1,1)) ---------------------------------------
  [[nodiscard]] Tensor add(const Tensor& o) const;
  [[nodiscard]] Tensor sub(const Tensor& o) const;
  [[nodiscard]] Tensor hadamard(const Tensor& o) const;
  [[nodiscard]] Tensor div(const Tensor& o) const;
  [[nodiscard]] Tensor scale(double value) const;
  [[nodiscard]] Tensor neg() const;
  [[nodiscard]] Tensor pow(double exponent) const;
  [[nodiscard]] Tensor matmul(const Tensor& o) const;
  [[nodiscard]] Tensor exp() const;
  [[nodiscard]] Tensor log() const;
  [[nodiscard]] Tensor tanh() const;
  [[nodiscard]] Tensor sigmoid() const;
  [[nodiscard]] Tensor relu() const;
  [[nodiscard]] Tensor sqrt() const;
  [[nodiscard]] Tensor abs() const;
  /// At least one bound, min ≤ max, else `invalid_value`.
  [[nodiscard]] Tensor clamp(std::optional<double> min, std::optional<double> max) const;
  [[nodiscard]] Tensor softmax() const;
  [[nodiscard]] Tensor log_softmax() const;

  // --- reductions ---------------------------------------------------------------------------
  [[nodiscard]] Tensor sum(Axis axis = Axis::all) const;
  [[nodiscard]] Tensor mean(Axis axis = Axis::all) const;
  [[nodiscard]] Tensor max(Axis axis = Axis::all) const;
  [[nodiscard]] Tensor min(Axis axis = Axis::all) const;
  [[nodiscard]] Tensor norm(Axis axis = Axis::all) const;
  [[nodiscard]] std::vector<float> sum_axis0() const;
  [[nodiscard]] double squared_l2_norm() const;
  [[nodiscard]] bool allclose(const Tensor& o, double rtol = 1e-5, double atol = 1e-8,
                              bool equal_nan = false) const;

  // --- in place (throw `graph` where spec 1, section 4 forbids it) ---------------------------
  void add_scaled_inplace(const Tensor& o, double scale);
  /// Every row += bias, a (1,c) tensor.
  void add_row_inplace(const Tensor& bias);
  /// The same from numbers; `length_mismatch` unless there are cols of them.
  void add_row_inplace(std::span<const double> bias);
  void copy_(const Tensor& o);
  void fill_(double value);
  /// Writes a broadcastable tensor into a part; an empty part is `invalid_shape`.
  void assign(Slice rows, Slice cols, const Tensor& value);

  // --- geometry (defined in src/geometry) -----------------------------------------------------
  /// Row-wise exponential map at the origin of the ball, ends in the clamp (spec 1, 5.2).
  [[nodiscard]] Tensor project_to_poincare(double curvature) const;
  /// √Σ_r d(x_r, y_r)² in the product of balls; equal shapes.
  [[nodiscard]] double hyperbolic_distance(const Tensor& other, double curvature) const;

  // --- automatic differentiation ------------------------------------------------------------
  [[nodiscard]] bool requires_grad() const noexcept;
  /// `graph` on a recorded result when switching off.
  void requires_grad_(bool flag = true);
  [[nodiscard]] bool is_leaf() const noexcept;
  [[nodiscard]] std::optional<Tensor> grad() const;
  void set_grad(std::optional<Tensor> grad);
  void zero_grad();
  /// Reverse pass (Griewank & Walther 2008): adds into `grad` of every tracked leaf reached, then
  /// frees the graph unless retained. `gradient` may be omitted for (1,1), meaning 1.
  void backward(const std::optional<Tensor>& gradient = {}, bool retain_graph = false) const;
  /// Whether a live graph keeps this storage for its backward pass.
  [[nodiscard]] bool is_kept_by_graph() const noexcept;

  /// For operations (tensor/autograd.hpp).
  [[nodiscard]] const std::shared_ptr<detail::TensorImpl>& impl() const noexcept { return impl_; }
  explicit Tensor(std::shared_ptr<detail::TensorImpl> impl) noexcept : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<detail::TensorImpl> impl_;
};

[[nodiscard]] SPIRALTORCH_API Tensor operator+(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator-(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator*(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator/(const Tensor& a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator+(const Tensor& a, double b);
[[nodiscard]] SPIRALTORCH_API Tensor operator-(const Tensor& a, double b);
[[nodiscard]] SPIRALTORCH_API Tensor operator*(const Tensor& a, double b);
[[nodiscard]] SPIRALTORCH_API Tensor operator/(const Tensor& a, double b);
[[nodiscard]] SPIRALTORCH_API Tensor operator+(double a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator-(double a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator*(double a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator/(double a, const Tensor& b);
[[nodiscard]] SPIRALTORCH_API Tensor operator-(const Tensor& a);

}  // namespace spiraltorch
