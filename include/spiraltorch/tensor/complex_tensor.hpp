#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// A two-dimensional, row-major complex64 matrix. A handle, as Tensor; not differentiable.
/// Storage is the interleaved (r, 2c) float32 matrix.
class SPIRALTORCH_API ComplexTensor {
 public:
  /// Zeros.
  ComplexTensor(std::int64_t rows, std::int64_t cols, DeviceId device = {});
  /// Copies rows·cols numbers; `length_mismatch` otherwise.
  ComplexTensor(std::int64_t rows, std::int64_t cols, std::span<const std::complex<float>> data,
                DeviceId device = {});
  /// From re, im interleaved: (r, 2c) → (r, c); `shape_mismatch` for odd columns. Copies.
  [[nodiscard]] static ComplexTensor from_tensor(const Tensor& interleaved);
  /// Shares the storage of an interleaved tensor that nobody else writes (zero-copy exchange).
  [[nodiscard]] static ComplexTensor adopt(Tensor interleaved);
  /// re + i·im, equal shapes.
  [[nodiscard]] static ComplexTensor from_parts(const Tensor& re, const Tensor& im);

  [[nodiscard]] std::int64_t rows() const noexcept { return values_.rows(); }
  [[nodiscard]] std::int64_t cols() const noexcept { return values_.cols() / 2; }
  [[nodiscard]] Shape shape() const noexcept { return {rows(), cols()}; }
  [[nodiscard]] DeviceId device() const noexcept { return values_.device(); }
  [[nodiscard]] std::vector<std::complex<float>> data() const;
  [[nodiscard]] std::vector<std::vector<std::complex<double>>> tolist() const;
  [[nodiscard]] std::complex<double> at(std::int64_t i, std::int64_t j) const;
  [[nodiscard]] std::string repr() const;
  [[nodiscard]] ComplexTensor clone() const;
  [[nodiscard]] ComplexTensor to(DeviceId device) const;
  [[nodiscard]] ComplexTensor slice(Slice rows, Slice cols) const;
  void assign(Slice rows, Slice cols, const ComplexTensor& value);

  [[nodiscard]] ComplexTensor add(const ComplexTensor& o) const;
  [[nodiscard]] ComplexTensor sub(const ComplexTensor& o) const;
  [[nodiscard]] ComplexTensor mul(const ComplexTensor& o) const;
  [[nodiscard]] ComplexTensor scale(std::complex<double> value) const;
  /// No conjugation.
  [[nodiscard]] ComplexTensor matmul(const ComplexTensor& o) const;
  [[nodiscard]] ComplexTensor conj() const;
  [[nodiscard]] Tensor real() const;
  [[nodiscard]] Tensor imag() const;
  /// Moduli (hypot) and arguments (atan2).
  [[nodiscard]] Tensor abs() const;
  [[nodiscard]] Tensor angle() const;
  /// (r, 2c) with re, im interleaved; a copy.
  [[nodiscard]] Tensor to_tensor() const;
  /// The interleaved storage itself.
  [[nodiscard]] const Tensor& storage() const noexcept { return values_; }

 private:
  explicit ComplexTensor(Tensor values) : values_(std::move(values)) {}
  Tensor values_;
};

}  // namespace spiraltorch
