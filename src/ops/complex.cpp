#include "ops/launch.hpp"
#include "ops/range.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/tensor/complex_tensor.hpp"

// Complex arithmetic on real planes: every kernel stays real, whatever the device.
namespace spiraltorch {
namespace {

Tensor plane(const Tensor& interleaved, std::int64_t part) {
  Tensor out = Tensor::empty(interleaved.rows(), interleaved.cols() / 2, interleaved.device());
  ops::run(OpId::complex_plane, {detail::operand_of(interleaved)}, detail::operand_of(out), {},
           {part});
  return out;
}

}  // namespace

ComplexTensor ComplexTensor::from_parts(const Tensor& re, const Tensor& im) {
  check_same_shape("ComplexTensor", "imaginary part", im.shape(), re.shape());
  Tensor out = Tensor::empty(re.rows(), 2 * re.cols(), re.device());
  ops::run(OpId::complex_join, {detail::operand_of(re), detail::operand_of(im)},
           detail::operand_of(out));
  return adopt(std::move(out));
}

ComplexTensor ComplexTensor::from_tensor(const Tensor& interleaved) {
  return adopt(interleaved.detach().clone());
}

Tensor ComplexTensor::real() const { return plane(values_, 0); }
Tensor ComplexTensor::imag() const { return plane(values_, 1); }
Tensor ComplexTensor::abs() const { return ops::hypot(real(), imag()); }
Tensor ComplexTensor::angle() const { return ops::atan2(imag(), real()); }
Tensor ComplexTensor::to_tensor() const { return values_.clone(); }
ComplexTensor ComplexTensor::clone() const { return ComplexTensor(values_.clone()); }
ComplexTensor ComplexTensor::to(DeviceId device) const { return ComplexTensor(values_.to(device)); }
ComplexTensor ComplexTensor::conj() const { return from_parts(real(), ops::neg(imag())); }

ComplexTensor ComplexTensor::add(const ComplexTensor& o) const {
  return from_parts(real() + o.real(), imag() + o.imag());
}

ComplexTensor ComplexTensor::sub(const ComplexTensor& o) const {
  return from_parts(real() - o.real(), imag() - o.imag());
}

ComplexTensor ComplexTensor::mul(const ComplexTensor& o) const {
  const Tensor a = real();
  const Tensor b = imag();
  const Tensor c = o.real();
  const Tensor d = o.imag();
  return from_parts(a * c - b * d, a * d + b * c);
}

ComplexTensor ComplexTensor::scale(std::complex<double> value) const {
  const Tensor a = real();
  const Tensor b = imag();
  return from_parts(a * value.real() - b * value.imag(), a * value.imag() + b * value.real());
}

ComplexTensor ComplexTensor::matmul(const ComplexTensor& o) const {
  const Tensor a = real();
  const Tensor b = imag();
  const Tensor c = o.real();
  const Tensor d = o.imag();
  return from_parts(ops::matmul(a, c) - ops::matmul(b, d), ops::matmul(a, d) + ops::matmul(b, c));
}

ComplexTensor ComplexTensor::slice(Slice rows, Slice cols) const {
  return from_parts(real().slice(rows, cols), imag().slice(rows, cols));
}

void ComplexTensor::assign(Slice rows, Slice cols, const ComplexTensor& value) {
  Tensor re = real();
  Tensor im = imag();
  re.assign(rows, cols, value.real());
  im.assign(rows, cols, value.imag());
  values_.copy_(from_parts(re, im).values_);
}

}  // namespace spiraltorch
