#include "spiraltorch/ops/gather.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "ops/launch.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

// The indices as (1,m), each in [0, length).
KernelOperand checked(std::string_view op, const IndexTensor& rows, std::int64_t length) {
  const auto [low, high] = rows.bounds();
  if (low < 0 || high >= length) {
    const auto values = rows.data();
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [&](std::int64_t v) { return v < 0 || v >= length; });
    const std::int64_t value = bad != values.end() ? *bad : (low < 0 ? low : high);
    fail(Errc::out_of_range, op,
         text("rows, position ", bad - values.begin(), ": got ", value, ", expected one in [0, ",
              length, ")"));
  }
  return operand(*rows.buffer(), {1, rows.size()}, rows.type());
}

void check_rows(std::string_view op, const Tensor& x, const IndexTensor& rows) {
  if (rows.rows() != 1 && rows.cols() != 1) {
    fail(Errc::shape_mismatch, op,
         text("rows: got shape ", to_text(rows.shape()), ", expected (1, m) or (m, 1)"));
  }
  if (rows.device() != x.device()) {
    fail(Errc::device, op,
         text("rows: got device ", to_text(rows.device()), ", expected ", to_text(x.device())));
  }
}

Tensor gather(const Tensor& x, const IndexTensor& rows) {
  const KernelOperand numbers = checked("index_select", rows, x.rows());
  Tensor out = Tensor::empty(rows.size(), x.cols(), x.device());
  run(OpId::gather_rows, {detail::operand_of(x), numbers}, detail::operand_of(out));
  return out;
}

// The gradient of a selection: zeros to which the rows are added in place.
Tensor spread(const Tensor& gradient, const IndexTensor& rows, Shape shape) {
  const KernelOperand numbers = checked("index_select", rows, shape.rows);
  Tensor out =
      Tensor::zeros(shape.rows, shape.cols, {.requires_grad = false, .device = gradient.device()});
  const KernelOperand table = detail::operand_of(out);
  run(OpId::scatter_add_rows, {table, detail::operand_of(gradient), numbers}, table);
  return out;
}

}  // namespace

Tensor index_select(const Tensor& x, const IndexTensor& rows) {
  check_rows("index_select", x, rows);
  if (rows.size() == 0) {
    fail(Errc::invalid_shape, "index_select",
         text("rows: got none of ", x.rows(), ", expected at least one"));
  }
  const Shape shape = x.shape();
  return record(gather(x, rows), "index_select", {x}, {}, [rows, shape](const BackwardContext& c) {
    const bool few = rows.size() * detail::kRowGradientShare <= shape.rows &&
                     shape.rows <= std::numeric_limits<std::int32_t>::max();
    if (c.rows == nullptr || !few) {
      return Gradients{spread(c.gradient, rows, shape)};
    }
    (void)checked("index_select", rows, shape.rows);
    c.rows->emplace(rows, c.gradient);
    return Gradients(1);
  });
}

Tensor index_add(const Tensor& x, const IndexTensor& rows, const Tensor& source) {
  check_same_device("index_add", {&x, &source});
  check_rows("index_add", x, rows);
  const Shape wanted{rows.size(), x.cols()};
  if (source.shape() != wanted) {
    fail(Errc::shape_mismatch, "index_add",
         text("source: got ", to_text(source.shape()), ", expected ", to_text(wanted)));
  }
  if (rows.size() == 0) return clone(x);
  const KernelOperand numbers = checked("index_add", rows, x.rows());
  Tensor out = Tensor::empty(x.rows(), x.cols(), x.device());
  run(OpId::scatter_add_rows, {detail::operand_of(x), detail::operand_of(source), numbers},
      detail::operand_of(out));
  return record(std::move(out), "index_add", {x, source}, {}, [rows](const BackwardContext& c) {
    Gradients gradients(2);
    if (c.needed[0]) gradients[0] = c.gradient;
    if (c.needed[1]) gradients[1] = gather(c.gradient, rows);
    return gradients;
  });
}

}  // namespace spiraltorch::ops
