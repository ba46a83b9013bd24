#include "spiraltorch/tensor/index_tensor.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <span>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

void check_axes(Shape shape) {
  const bool fits = shape.rows >= 0 && shape.cols >= 0 &&
                    (shape.cols == 0 || shape.rows <= kMaxElements / shape.cols);
  if (fits) return;
  fail(Errc::invalid_shape, "IndexTensor",
       text("shape: got ", to_text(shape), ", expected axes >= 0 and at most 2^40 elements"));
}

template <class T>
std::vector<std::int64_t> widened(const Buffer& buffer, std::int64_t n) {
  std::vector<T> values(static_cast<std::size_t>(n));
  if (n > 0) download(buffer, 0, values.data(), values.size() * sizeof(T));
  return {values.begin(), values.end()};
}

template <class T>
std::pair<std::int64_t, std::int64_t> bounds_of(std::span<const T> values) {
  if (values.empty()) return {0, -1};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

std::string row_text(const std::vector<std::int64_t>& row) {
  constexpr std::size_t kMost = 12;
  std::string out = "[";
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (row.size() > kMost && j == kMost / 2) {
      out += "..., ";
      j = row.size() - kMost / 2;
    }
    out += text(row[j], j + 1 < row.size() ? ", " : "");
  }
  return out + "]";
}

}  // namespace

struct IndexTensor::Bounds {
  std::once_flag once;
  std::pair<std::int64_t, std::int64_t> value;
};

IndexTensor::IndexTensor(std::shared_ptr<Buffer> buffer, Shape shape, ElementType type)
    : buffer_(std::move(buffer)), shape_(shape), type_(type) {
  if (!buffer_->device().is_cpu()) bounds_ = std::make_shared<Bounds>();
}

IndexTensor IndexTensor::empty(std::int64_t rows, std::int64_t cols, ElementType type,
                               DeviceId device) {
  const Shape shape{rows, cols};
  check_axes(shape);
  require(type == ElementType::i32 || type == ElementType::i64, Errc::dtype, "IndexTensor",
          "type: got a float type, expected i32 or i64");
  const std::size_t bytes = static_cast<std::size_t>(shape.size()) * size_of(type);
  return {Buffer::allocate(device, std::max<std::size_t>(bytes, size_of(type))), shape, type};
}

IndexTensor IndexTensor::from_values(std::int64_t rows, std::int64_t cols,
                                     const std::vector<std::int64_t>& values, ElementType type,
                                     DeviceId device) {
  IndexTensor out = empty(rows, cols, type, device);
  if (std::ssize(values) != out.size()) {
    fail(Errc::length_mismatch, "IndexTensor",
         text("values: got ", values.size(), ", expected ", out.size()));
  }
  if (values.empty()) return out;
  if (out.bounds_ != nullptr) {
    std::call_once(out.bounds_->once,
                   [&] { out.bounds_->value = bounds_of(std::span<const std::int64_t>(values)); });
  }
  if (type == ElementType::i64) {
    upload(*out.buffer_, 0, values.data(), values.size() * sizeof(std::int64_t));
    return out;
  }
  std::vector<std::int32_t> narrow;
  narrow.reserve(values.size());
  for (const std::int64_t v : values) {
    if (v < std::numeric_limits<std::int32_t>::min() ||
        v > std::numeric_limits<std::int32_t>::max()) {
      fail(Errc::invalid_value, "IndexTensor", text("values: got ", v, ", expected an int32"));
    }
    narrow.push_back(static_cast<std::int32_t>(v));
  }
  upload(*out.buffer_, 0, narrow.data(), narrow.size() * sizeof(std::int32_t));
  return out;
}

std::string IndexTensor::dtype() const { return type_ == ElementType::i32 ? "int32" : "int64"; }

std::vector<std::int64_t> IndexTensor::data() const {
  return type_ == ElementType::i32 ? widened<std::int32_t>(*buffer_, size())
                                   : widened<std::int64_t>(*buffer_, size());
}

std::vector<std::vector<std::int64_t>> IndexTensor::tolist() const {
  const auto values = data();
  std::vector<std::vector<std::int64_t>> out;
  out.reserve(static_cast<std::size_t>(rows()));
  for (std::int64_t i = 0; i < rows(); ++i) {
    out.emplace_back(values.begin() + i * cols(), values.begin() + (i + 1) * cols());
  }
  return out;
}

std::int64_t IndexTensor::item() const {
  if (size() != 1) {
    fail(Errc::shape_mismatch, "item", text("shape: got ", to_text(shape_), ", expected (1, 1)"));
  }
  return data().front();
}

std::int64_t IndexTensor::at(std::int64_t i, std::int64_t j) const {
  const std::int64_t r = i < 0 ? i + rows() : i;
  const std::int64_t c = j < 0 ? j + cols() : j;
  if (r < 0 || r >= rows() || c < 0 || c >= cols()) {
    fail(Errc::out_of_range, "at",
         text("index: got (", i, ", ", j, "), expected one inside ", to_text(shape_)));
  }
  const auto offset = static_cast<std::size_t>(r * cols() + c);
  if (type_ == ElementType::i64) {
    std::int64_t value = 0;
    download(*buffer_, offset * sizeof value, &value, sizeof value);
    return value;
  }
  std::int32_t value = 0;
  download(*buffer_, offset * sizeof value, &value, sizeof value);
  return value;
}

IndexTensor IndexTensor::to(DeviceId device) const {
  if (device == buffer_->device()) return *this;
  return from_values(rows(), cols(), data(), type_, device);
}

std::pair<std::int64_t, std::int64_t> IndexTensor::bounds() const {
  if (bounds_ != nullptr) {
    std::call_once(bounds_->once, [this] {
      const auto values = data();
      bounds_->value = bounds_of(std::span<const std::int64_t>(values));
    });
    return bounds_->value;
  }
  const void* host = host_view(*buffer_);
  const auto count = static_cast<std::size_t>(size());
  return type_ == ElementType::i32
             ? bounds_of(std::span(static_cast<const std::int32_t*>(host), count))
             : bounds_of(std::span(static_cast<const std::int64_t*>(host), count));
}

std::string IndexTensor::repr() const {
  const auto list = tolist();
  std::string out = "IndexTensor([";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i == 6 && list.size() > 12) {
      out += "..., ";
      i = list.size() - 6;
    }
    out += row_text(list[i]) + (i + 1 < list.size() ? ", " : "");
  }
  return out + "], dtype=" + dtype() + ")";
}

KernelOperand IndexTensor::operand() const { return spiraltorch::operand(*buffer_, shape_, type_); }

}  // namespace spiraltorch
