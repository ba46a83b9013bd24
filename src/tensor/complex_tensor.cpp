#include "spiraltorch/tensor/complex_tensor.hpp"

#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

void check_complex_shape(std::int64_t rows, std::int64_t cols) {
  check_shape("ComplexTensor", rows, cols);
  check_shape("ComplexTensor", rows, 2 * cols);
}

std::span<const float> floats(std::int64_t rows, std::int64_t cols,
                              std::span<const std::complex<float>> data) {
  check_complex_shape(rows, cols);
  if (!std::cmp_equal(data.size(), rows * cols)) {
    fail(Errc::length_mismatch, "ComplexTensor",
         text("values: got ", data.size(), ", expected ", rows * cols));
  }
  // [complex.numbers]: an array of complex<float> is an array of interleaved floats.
  return {reinterpret_cast<const float*>(data.data()), 2 * data.size()};
}

Tensor zeros(std::int64_t rows, std::int64_t cols, DeviceId device) {
  check_complex_shape(rows, cols);
  return Tensor::zeros(rows, 2 * cols, {.requires_grad = false, .device = device});
}

}  // namespace

ComplexTensor::ComplexTensor(std::int64_t rows, std::int64_t cols, DeviceId device)
    : values_(zeros(rows, cols, device)) {}

ComplexTensor::ComplexTensor(std::int64_t rows, std::int64_t cols,
                             std::span<const std::complex<float>> data, DeviceId device)
    : values_(rows, 2 * cols, floats(rows, cols, data),
              {.requires_grad = false, .device = device}) {}

ComplexTensor ComplexTensor::adopt(Tensor interleaved) {
  if (interleaved.cols() % 2 != 0) {
    fail(Errc::shape_mismatch, "from_tensor",
         text("columns: got ", interleaved.cols(), ", expected an even number"));
  }
  return ComplexTensor(interleaved.detach());
}

std::vector<std::complex<float>> ComplexTensor::data() const {
  std::vector<std::complex<float>> out(static_cast<std::size_t>(rows() * cols()));
  download(*values_.buffer(), 0, out.data(), out.size() * sizeof(out[0]));
  return out;
}

std::vector<std::vector<std::complex<double>>> ComplexTensor::tolist() const {
  const auto flat = data();
  std::vector<std::vector<std::complex<double>>> out;
  for (auto row = flat.begin(); row != flat.end(); row += cols()) {
    out.emplace_back(row, row + cols());
  }
  return out;
}

std::complex<double> ComplexTensor::at(std::int64_t i, std::int64_t j) const {
  const std::int64_t c = j < 0 ? j + cols() : j;
  if (c < 0 || c >= cols()) {
    fail(Errc::out_of_range, "at",
         text("index: got (", i, ", ", j, "), expected one inside ", to_text(shape())));
  }
  return {values_.at(i, 2 * c), values_.at(i, 2 * c + 1)};
}

}  // namespace spiraltorch
