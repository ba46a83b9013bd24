#include "ops/launch.hpp"
#include "ops/range.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"

// The members of Tensor that change it. Each checks the graph rules of spec 1, section 4 first.
namespace spiraltorch {
namespace {

using detail::operand_of;

// Whether a kernel that reads x while it writes target could see its own writes.
bool shares_storage(const Tensor& a, const Tensor& b) {
  return a.impl()->storage == b.impl()->storage;
}

void check_repeats_to(std::string_view op, Shape value, Shape target) {
  if ((value.rows == target.rows || value.rows == 1) &&
      (value.cols == target.cols || value.cols == 1)) {
    return;
  }
  fail(Errc::shape_mismatch, op,
       text("value: got ", to_text(value), ", expected one that repeats to ", to_text(target)));
}

}  // namespace

void Tensor::add_scaled_inplace(const Tensor& o, double scale) {
  check_inplace("add_scaled_inplace", *this);
  check_same_device("add_scaled_inplace", {this, &o});
  check_same_shape("add_scaled_inplace", "other", o.shape(), shape());
  const KernelOperand self = operand_of(*this);
  ops::run(OpId::add_scaled, {self, operand_of(o)}, self, {scale});
}

void Tensor::add_row_inplace(const Tensor& bias) {
  check_inplace("add_row_inplace", *this);
  check_same_device("add_row_inplace", {this, &bias});
  check_same_shape("add_row_inplace", "bias", bias.shape(), {1, cols()});
  const Tensor row = shares_storage(*this, bias) ? bias.detach().clone() : bias;
  const KernelOperand self = operand_of(*this);
  ops::run(OpId::add, {self, operand_of(row, shape())}, self);
}

void Tensor::add_row_inplace(std::span<const double> bias) {
  if (!std::cmp_equal(bias.size(), cols())) {
    fail(Errc::length_mismatch, "add_row_inplace",
         text("bias: got ", bias.size(), " numbers, expected ", cols()));
  }
  add_row_inplace(Tensor(1, cols(), bias, {.requires_grad = false, .device = device()}));
}

void Tensor::copy_(const Tensor& o) {
  check_inplace("copy_", *this);
  check_same_device("copy_", {this, &o});
  check_same_shape("copy_", "other", o.shape(), shape());
  copy_bytes(*o.buffer(), 0, *buffer(), 0, static_cast<std::size_t>(size()) * sizeof(float));
}

void Tensor::fill_(double value) {
  check_inplace("fill_", *this);
  ops::run(OpId::fill, {}, operand_of(*this), {value});
}

void Tensor::assign(Slice rows, Slice cols, const Tensor& value) {
  check_inplace("assign", *this);
  check_same_device("assign", {this, &value});
  const ops::Range r = ops::resolve("assign", "rows", rows, this->rows());
  const ops::Range c = ops::resolve("assign", "columns", cols, this->cols());
  check_repeats_to("assign", value.shape(), {r.length, c.length});
  const Tensor source = shares_storage(*this, value) ? value.detach().clone() : value;
  ops::run(OpId::slice_assign, {operand_of(source, {r.length, c.length})}, operand_of(*this), {},
           {r.start, r.step, r.length, c.start, c.step, c.length});
}

}  // namespace spiraltorch
