#include "spiraltorch/tensor/row_gradient.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::detail {
namespace {

void scatter(const Tensor& values, const IndexTensor& rows, Tensor& to) {
  const KernelOperand table = operand_of(to);
  const std::array in{table, operand_of(values),
                      operand(*rows.buffer(), {1, rows.size()}, rows.type())};
  launch(OpId::scatter_add_rows, {.in = in, .out = {&table, 1}, .scalars = {}, .ints = {}});
}

}  // namespace

RowGradient merged(std::span<const RowGradient> parts) {
  const NoGrad guard;
  std::vector<std::int64_t> all;
  std::vector<Tensor> values;
  for (const RowGradient& part : parts) {
    const auto rows = part.rows.data();
    all.insert(all.end(), rows.begin(), rows.end());
    values.push_back(part.values);
  }
  std::vector<std::int64_t> distinct = all;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (std::int64_t& row : all) {
    row = std::lower_bound(distinct.begin(), distinct.end(), row) - distinct.begin();
  }
  const auto n = static_cast<std::int64_t>(all.size());
  const auto k = static_cast<std::int64_t>(distinct.size());
  Tensor sums(k, values.front().cols());
  scatter(values.size() == 1 ? values.front() : Tensor::cat_rows(values),
          IndexTensor::from_values(1, n, all), sums);
  return {IndexTensor::from_values(1, k, distinct), std::move(sums)};
}

void add_rows(const RowGradient& part, Tensor& to) { scatter(part.values, part.rows, to); }

std::shared_ptr<const RowGradient> row_gradient(const Tensor& leaf) {
  const TensorImpl& impl = *leaf.impl();
  return impl.sink != nullptr && impl.sink->takes() ? nullptr : impl.row_grad;
}

void set_row_gradient(const Tensor& leaf, RowGradient gradient) {
  leaf.impl()->row_grad = std::make_shared<const RowGradient>(std::move(gradient));
  leaf.impl()->grad.reset();
}

void make_gradient_dense(const Tensor& leaf) {
  TensorImpl& impl = *leaf.impl();
  if (impl.row_grad == nullptr) return;
  Tensor dense(impl.shape.rows, impl.shape.cols);
  add_rows(*impl.row_grad, dense);
  impl.grad = std::move(dense);
  impl.row_grad.reset();
}

}  // namespace spiraltorch::detail
