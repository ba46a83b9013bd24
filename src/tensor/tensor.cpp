#include "spiraltorch/tensor/tensor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

using detail::Storage;
using detail::TensorImpl;

std::shared_ptr<TensorImpl> make_impl(std::shared_ptr<Buffer> buffer, Shape shape,
                                      bool requires_grad) {
  auto storage = std::make_shared<Storage>();
  storage->buffer = std::move(buffer);
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::move(storage);
  impl->shape = shape;
  impl->requires_grad = requires_grad;
  return impl;
}

std::size_t bytes_of(Shape shape) { return static_cast<std::size_t>(shape.size()) * sizeof(float); }

Tensor allocate(std::string_view op, Shape shape, TensorOptions options) {
  check_shape(op, shape.rows, shape.cols);
  return Tensor(
      make_impl(Buffer::allocate(options.device, bytes_of(shape)), shape, options.requires_grad));
}

void check_length(Shape shape, std::size_t count) {
  if (std::cmp_equal(count, shape.size())) return;
  fail(Errc::length_mismatch, "Tensor",
       text("values: got ", count, ", expected ", shape.size(), " for shape ", to_text(shape)));
}

void fill_new(Tensor& x, double value) {
  const KernelOperand out = detail::operand_of(x);
  launch(OpId::fill, {.in = {}, .out = {&out, 1}, .scalars = {&value, 1}, .ints = {}});
}

// A float from a double as IEEE rounds it: beyond the range it is infinite.
std::vector<float> round_all(std::span<const double> values) {
  std::vector<float> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(),
                 [](double v) { return static_cast<float>(v); });
  return out;
}

std::uint64_t words_for_normals(std::int64_t n) {
  return 2 * ((static_cast<std::uint64_t>(n) + 1) / 2);
}

}  // namespace

Tensor detail::empty_result(Shape shape, DeviceId device) {
  const std::size_t bytes = std::max(bytes_of(shape), sizeof(float));
  return Tensor(make_impl(Buffer::allocate(device, bytes), shape, false));
}

void detail::explain_nan(const Tensor& result, std::function<void()> explain) {
  if (host_view(*result.buffer()) == nullptr) {
    result.impl()->storage->explain = std::move(explain);
  } else if (std::isnan(*result.host())) {
    explain();
  }
}

Tensor::Tensor(std::int64_t rows, std::int64_t cols, TensorOptions options)
    : impl_(allocate("Tensor", {rows, cols}, options).impl()) {
  fill_new(*this, 0.0);
}

Tensor::Tensor(std::int64_t rows, std::int64_t cols, std::span<const float> data,
               TensorOptions options) {
  check_shape("Tensor", rows, cols);
  check_length({rows, cols}, data.size());
  impl_ = allocate("Tensor", {rows, cols}, options).impl();
  upload(*buffer(), 0, data.data(), data.size_bytes());
}

Tensor::Tensor(std::int64_t rows, std::int64_t cols, std::span<const double> data,
               TensorOptions options)
    : Tensor(rows, cols, std::span<const float>(round_all(data)), options) {}

Tensor::Tensor(std::int64_t rows, std::int64_t cols, std::initializer_list<float> data,
               TensorOptions options)
    : Tensor(rows, cols, std::span<const float>(data.begin(), data.size()), options) {}

Tensor Tensor::zeros(std::int64_t rows, std::int64_t cols, TensorOptions o) {
  return {rows, cols, o};
}

Tensor Tensor::ones(std::int64_t rows, std::int64_t cols, TensorOptions o) {
  return full(rows, cols, 1.0, o);
}

Tensor Tensor::full(std::int64_t rows, std::int64_t cols, double value, TensorOptions o) {
  Tensor out = allocate("full", {rows, cols}, o);
  fill_new(out, value);
  return out;
}

Tensor Tensor::eye(std::int64_t n, std::optional<std::int64_t> cols, TensorOptions o) {
  const Shape shape{n, cols.value_or(n)};
  check_shape("eye", shape.rows, shape.cols);
  std::vector<float> values(static_cast<std::size_t>(shape.size()), 0.0F);
  for (std::int64_t i = 0; i < std::min(shape.rows, shape.cols); ++i) {
    values[static_cast<std::size_t>(i * shape.cols + i)] = 1.0F;
  }
  return {shape.rows, shape.cols, std::span<const float>(values), o};
}

Tensor Tensor::rand(std::int64_t rows, std::int64_t cols, std::optional<std::uint64_t> seed,
                    TensorOptions o) {
  Tensor out = allocate("rand", {rows, cols}, o);
  const PhiloxState state =
      seed ? PhiloxState{*seed, 0} : reserve_random_words(static_cast<std::uint64_t>(out.size()));
  const std::array ints{static_cast<std::int64_t>(state.seed),
                        static_cast<std::int64_t>(state.block)};
  const KernelOperand result = detail::operand_of(out);
  launch(OpId::philox_uniform, {.in = {}, .out = {&result, 1}, .scalars = {}, .ints = ints});
  return out;
}

Tensor Tensor::randn(std::int64_t rows, std::int64_t cols, std::optional<std::uint64_t> seed,
                     TensorOptions o) {
  check_shape("randn", rows, cols);
  const std::int64_t n = rows * cols;
  const PhiloxState state =
      seed ? PhiloxState{*seed, 0} : reserve_random_words(words_for_normals(n));
  std::vector<float> values(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; i += 4) {
    const auto w = philox_block(state.seed, state.block + static_cast<std::uint64_t>(i / 4));
    const auto low = normals_from_words(w[0], w[1]);
    const auto high = normals_from_words(w[2], w[3]);
    const std::array four{low[0], low[1], high[0], high[1]};
    for (std::int64_t j = 0; j < std::min<std::int64_t>(4, n - i); ++j) {
      values[static_cast<std::size_t>(i + j)] =
          static_cast<float>(four[static_cast<std::size_t>(j)]);
    }
  }
  return {rows, cols, std::span<const float>(values), o};
}

Tensor Tensor::from_rows(std::span<const std::vector<double>> rows, TensorOptions o) {
  require(!rows.empty(), Errc::empty_input, "from_rows", "rows: got none, expected at least one");
  std::vector<double> flat;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size()) {
      fail(Errc::length_mismatch, "from_rows",
           text("length of row ", i, ": got ", rows[i].size(), ", expected ", rows[0].size()));
    }
    flat.insert(flat.end(), rows[i].begin(), rows[i].end());
  }
  return {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size()),
          std::span<const double>(flat), o};
}

Tensor Tensor::from_fn(std::int64_t rows, std::int64_t cols,
                       const std::function<double(std::int64_t, std::int64_t)>& f,
                       TensorOptions o) {
  check_shape("from_fn", rows, cols);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows * cols));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) values.push_back(static_cast<float>(f(i, j)));
  }
  return {rows, cols, std::span<const float>(values), o};
}

Tensor Tensor::adopt(float* data, std::int64_t rows, std::int64_t cols, std::shared_ptr<void> owner,
                     bool requires_grad) {
  check_shape("adopt", rows, cols);
  const Shape shape{rows, cols};
  return Tensor(
      make_impl(Buffer::adopt_host(data, bytes_of(shape), std::move(owner)), shape, requires_grad));
}

Tensor Tensor::empty(std::int64_t rows, std::int64_t cols, DeviceId device) {
  return allocate("empty", {rows, cols}, {.requires_grad = false, .device = device});
}

std::int64_t Tensor::rows() const noexcept { return impl_->shape.rows; }
std::int64_t Tensor::cols() const noexcept { return impl_->shape.cols; }
std::int64_t Tensor::size() const noexcept { return impl_->shape.size(); }
Shape Tensor::shape() const noexcept { return impl_->shape; }
DeviceId Tensor::device() const noexcept { return buffer()->device(); }
const std::shared_ptr<Buffer>& Tensor::buffer() const noexcept { return impl_->storage->buffer; }

std::shared_ptr<const float> Tensor::host() const {
  if (void* view = host_view(*buffer())) {
    return {impl_->storage, static_cast<const float*>(view)};
  }
  auto copy = std::make_shared<std::vector<float>>(data());
  return {copy, copy->data()};
}

std::vector<float> Tensor::data() const {
  std::vector<float> out(static_cast<std::size_t>(size()));
  download(*buffer(), 0, out.data(), bytes_of(shape()));
  if (impl_->storage->explain && std::isnan(out[0])) impl_->storage->explain();
  return out;
}

std::vector<std::vector<double>> Tensor::tolist() const {
  const auto values = host();
  std::vector<std::vector<double>> out;
  out.reserve(static_cast<std::size_t>(rows()));
  for (std::int64_t i = 0; i < rows(); ++i) {
    const float* row = values.get() + i * cols();
    out.emplace_back(row, row + cols());
  }
  return out;
}

double Tensor::item() const {
  if (size() != 1) {
    fail(Errc::shape_mismatch, "item", text("shape: got ", to_text(shape()), ", expected (1, 1)"));
  }
  return *host();
}

double Tensor::at(std::int64_t i, std::int64_t j) const {
  const std::int64_t r = i < 0 ? i + rows() : i;
  const std::int64_t c = j < 0 ? j + cols() : j;
  if (r < 0 || r >= rows() || c < 0 || c >= cols()) {
    fail(Errc::out_of_range, "at",
         text("index: got (", i, ", ", j, "), expected one inside ", to_text(shape())));
  }
  float value = 0.0F;
  download(*buffer(), static_cast<std::size_t>(r * cols() + c) * sizeof(float), &value,
           sizeof value);
  if (impl_->storage->explain && std::isnan(value)) impl_->storage->explain();
  return value;
}

Tensor Tensor::detach() const {
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = impl_->storage;
  impl->shape = impl_->shape;
  return Tensor(std::move(impl));
}

}  // namespace spiraltorch
