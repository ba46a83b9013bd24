#include "geometry/operands.hpp"

#include <algorithm>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::geometry {

Shape common_rows(std::string_view op, Operands operands) {
  Shape shape = (*operands.begin())->shape();
  for (const Tensor* x : operands) shape.rows = std::max(shape.rows, x->rows());
  for (const Tensor* x : operands) {
    if (x->cols() == shape.cols && (x->rows() == shape.rows || x->rows() == 1)) continue;
    fail(Errc::shape_mismatch, op,
         text("operands: got ", to_text((*operands.begin())->shape()), " and ", to_text(x->shape()),
              ", expected equal shapes or a (1,", shape.cols, ") row"));
  }
  return shape;
}

Tensor as_column(std::string_view op, const Scalars& t, std::int64_t& rows, DeviceId device) {
  if (const auto* value = std::get_if<double>(&t)) {
    return Tensor::full(1, 1, *value, {.requires_grad = false, .device = device});
  }
  const auto& column = std::get<Tensor>(t);
  const bool fits =
      column.cols() == 1 && (column.rows() == rows || column.rows() == 1 || rows == 1);
  if (!fits) {
    fail(Errc::shape_mismatch, op,
         text("t: got ", to_text(column.shape()), ", expected a number or (", rows, ", 1)"));
  }
  rows = std::max(rows, column.rows());
  return column;
}

}  // namespace spiraltorch::geometry
