#include "spiraltorch/base/shape.hpp"

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {

std::string to_text(const Shape& shape) { return text("(", shape.rows, ", ", shape.cols, ")"); }

void check_shape(std::string_view op, std::int64_t rows, std::int64_t cols) {
  if (rows < 1 || cols < 1) {
    fail(Errc::invalid_shape, op,
         text("shape: got ", to_text(Shape{rows, cols}), ", expected both axes >= 1"));
  }
  if (rows > kMaxElements / cols) {
    fail(Errc::invalid_shape, op,
         text("shape: got ", to_text(Shape{rows, cols}), ", expected at most 2^40 elements"));
  }
}

void check_same_shape(std::string_view op, std::string_view what, Shape got, Shape expected) {
  if (got == expected) return;
  fail(Errc::shape_mismatch, op,
       text(what, ": got ", to_text(got), ", expected ", to_text(expected)));
}

Shape broadcast_shape(std::string_view op, Shape a, Shape b) {
  const bool rows_fit = a.rows == b.rows || a.rows == 1 || b.rows == 1;
  const bool cols_fit = a.cols == b.cols || a.cols == 1 || b.cols == 1;
  const Shape common{a.rows == 1 ? b.rows : a.rows, a.cols == 1 ? b.cols : a.cols};
  // One operand must already have the common shape: (r,1) with (1,c) is refused.
  if (!rows_fit || !cols_fit || (common != a && common != b)) {
    fail(Errc::shape_mismatch, op,
         text("operands: got ", to_text(a), " and ", to_text(b),
              ", expected equal shapes, or a (1,c), (r,1) or (1,1) operand"));
  }
  return common;
}

}  // namespace spiraltorch
