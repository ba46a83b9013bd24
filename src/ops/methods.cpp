#include "spiraltorch/base/error.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/tensor.hpp"

// Tensor's methods and operators: the same functions under the names users expect.
namespace spiraltorch {
namespace {

Tensor constant_like(const Tensor& x, double value) {
  return Tensor::full(1, 1, value, {.requires_grad = false, .device = x.device()});
}

}  // namespace

Tensor Tensor::cat_rows(std::span<const Tensor> parts) { return ops::cat(parts, Axis::rows); }
Tensor Tensor::cat_cols(std::span<const Tensor> parts) { return ops::cat(parts, Axis::cols); }
Tensor Tensor::clone() const { return ops::clone(*this); }
Tensor Tensor::to(DeviceId device) const { return ops::to_device(*this, device); }
Tensor Tensor::transpose() const { return ops::transpose(*this); }
Tensor Tensor::reshape(std::int64_t r, std::int64_t c) const { return ops::reshape(*this, r, c); }
Tensor Tensor::slice(Slice r, Slice c) const { return ops::slice(*this, r, c); }
Tensor Tensor::row(std::int64_t i) const {
  return ops::slice(*this, ops::index_slice("row", "row", i, rows()), Slice{});
}

Tensor Tensor::add(const Tensor& o) const { return ops::add(*this, o); }
Tensor Tensor::sub(const Tensor& o) const { return ops::sub(*this, o); }
Tensor Tensor::hadamard(const Tensor& o) const { return ops::mul(*this, o); }
Tensor Tensor::div(const Tensor& o) const { return ops::div(*this, o); }
Tensor Tensor::scale(double value) const { return ops::scale(*this, value); }
Tensor Tensor::neg() const { return ops::neg(*this); }
Tensor Tensor::pow(double exponent) const { return ops::pow(*this, exponent); }
Tensor Tensor::matmul(const Tensor& o) const { return ops::matmul(*this, o); }
Tensor Tensor::exp() const { return ops::exp(*this); }
Tensor Tensor::log() const { return ops::log(*this); }
Tensor Tensor::tanh() const { return ops::tanh(*this); }
Tensor Tensor::sigmoid() const { return ops::sigmoid(*this); }
Tensor Tensor::relu() const { return ops::relu(*this); }
Tensor Tensor::sqrt() const { return ops::sqrt(*this); }
Tensor Tensor::abs() const { return ops::abs(*this); }
Tensor Tensor::clamp(std::optional<double> lo, std::optional<double> hi) const {
  return ops::clamp(*this, lo, hi);
}
Tensor Tensor::softmax() const { return ops::softmax(*this); }
Tensor Tensor::log_softmax() const { return ops::log_softmax(*this); }

Tensor Tensor::sum(Axis axis) const { return ops::sum(*this, axis); }
Tensor Tensor::mean(Axis axis) const { return ops::mean(*this, axis); }
Tensor Tensor::max(Axis axis) const { return ops::max(*this, axis); }
Tensor Tensor::min(Axis axis) const { return ops::min(*this, axis); }
Tensor Tensor::norm(Axis axis) const { return ops::norm(*this, axis); }
std::vector<float> Tensor::sum_axis0() const { return ops::sum(detach(), Axis::rows).data(); }
double Tensor::squared_l2_norm() const { return ops::squared_norm(*this); }
bool Tensor::allclose(const Tensor& o, double rtol, double atol, bool equal_nan) const {
  return ops::allclose(*this, o, rtol, atol, equal_nan);
}

Tensor operator+(const Tensor& a, const Tensor& b) { return ops::add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return ops::sub(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return ops::mul(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return ops::div(a, b); }
Tensor operator+(const Tensor& a, double b) { return ops::add(a, constant_like(a, b)); }
Tensor operator-(const Tensor& a, double b) { return ops::sub(a, constant_like(a, b)); }
Tensor operator*(const Tensor& a, double b) { return ops::scale(a, b); }
Tensor operator/(const Tensor& a, double b) { return ops::div(a, constant_like(a, b)); }
Tensor operator+(double a, const Tensor& b) { return ops::add(constant_like(b, a), b); }
Tensor operator-(double a, const Tensor& b) { return ops::sub(constant_like(b, a), b); }
Tensor operator*(double a, const Tensor& b) { return ops::scale(b, a); }
Tensor operator/(double a, const Tensor& b) { return ops::div(constant_like(b, a), b); }
Tensor operator-(const Tensor& a) { return ops::neg(a); }

}  // namespace spiraltorch
