#include "spiraltorch/ops/matrix.hpp"

#include "ops/launch.hpp"
#include "ops/range.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::ops {
namespace {

using Gradients = std::vector<std::optional<Tensor>>;

Tensor run_matmul(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  const Shape out_shape{ta ? a.cols() : a.rows(), tb ? b.rows() : b.cols()};
  Tensor out = Tensor::empty(out_shape.rows, out_shape.cols, a.device());
  run(OpId::matmul, {detail::operand_of(a), detail::operand_of(b)}, detail::operand_of(out), {},
      {ta ? 1 : 0, tb ? 1 : 0, 0});
  return out;
}

// The gradient of a selection: zeros with the selected part written in.
Tensor scatter(const Tensor& gradient, Shape shape, const Range& rows, const Range& cols) {
  Tensor out =
      Tensor::zeros(shape.rows, shape.cols, {.requires_grad = false, .device = gradient.device()});
  run(OpId::slice_assign, {detail::operand_of(gradient)}, detail::operand_of(out), {},
      {rows.start, rows.step, rows.length, cols.start, cols.step, cols.length});
  return out;
}

Tensor select(const Tensor& x, const Range& rows, const Range& cols) {
  Tensor out = Tensor::empty(rows.length, cols.length, x.device());
  run(OpId::slice, {detail::operand_of(x)}, detail::operand_of(out), {},
      {rows.start, rows.step, cols.start, cols.step});
  return out;
}

Range whole(std::int64_t length) { return {0, 1, length}; }

Tensor copy_storage(const Tensor& x, Shape shape) {
  Tensor out = Tensor::empty(shape.rows, shape.cols, x.device());
  copy_bytes(*x.buffer(), 0, *out.buffer(), 0, static_cast<std::size_t>(x.size()) * sizeof(float));
  return out;
}

}  // namespace

Range resolve(std::string_view op, std::string_view axis, const Slice& slice, std::int64_t length) {
  require(slice.step != 0, Errc::invalid_value, op, "slice step: got 0, expected another number");
  const bool forward = slice.step > 0;
  // Python's rules: negative positions count from the end, then both ends are clipped.
  const auto clip = [&](std::int64_t i) {
    if (i < 0) i += length;
    return forward ? std::min(std::max<std::int64_t>(i, 0), length)
                   : std::min(std::max<std::int64_t>(i, -1), length - 1);
  };
  const std::int64_t start = slice.start ? clip(*slice.start) : (forward ? 0 : length - 1);
  const std::int64_t stop = slice.stop ? clip(*slice.stop) : (forward ? length : -1);
  const std::int64_t span = forward ? stop - start : start - stop;
  const std::int64_t step = forward ? slice.step : -slice.step;
  const std::int64_t count = span <= 0 ? 0 : (span - 1) / step + 1;
  if (count == 0) {
    fail(Errc::invalid_shape, op,
         text("selection of ", axis, ": got none of ", length, ", expected at least one"));
  }
  return {start, slice.step, count};
}

Slice index_slice(std::string_view op, std::string_view axis, std::int64_t i, std::int64_t length) {
  const std::int64_t position = i < 0 ? i + length : i;
  if (position < 0 || position >= length) {
    fail(Errc::out_of_range, op,
         text(axis, " index: got ", i, ", expected -", length, " to ", length - 1));
  }
  return {.start = position, .stop = position + 1, .step = 1};
}

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  check_same_device("matmul", {&a, &b});
  const std::int64_t inner_a = transpose_a ? a.rows() : a.cols();
  const std::int64_t inner_b = transpose_b ? b.cols() : b.rows();
  if (inner_a != inner_b) {
    fail(Errc::shape_mismatch, "matmul",
         text("inner sizes: got ", to_text(a.shape()), transpose_a ? " transposed" : "", " and ",
              to_text(b.shape()), transpose_b ? " transposed" : "", ", expected equal ones"));
  }
  const bool ta = transpose_a;
  const bool tb = transpose_b;
  return record(run_matmul(a, b, ta, tb), "matmul", {a, b}, {a, b},
                [ta, tb](const BackwardContext& c) {
                  const Tensor& g = c.gradient;
                  const Tensor& x = c.saved[0];
                  const Tensor& y = c.saved[1];
                  Gradients out(2);
                  if (c.needed[0]) {
                    out[0] = ta ? run_matmul(y, g, tb, true) : run_matmul(g, y, false, !tb);
                  }
                  if (c.needed[1]) {
                    out[1] = tb ? run_matmul(g, x, true, ta) : run_matmul(x, g, !ta, false);
                  }
                  return out;
                });
}

Tensor transpose(const Tensor& x) {
  Tensor out = Tensor::empty(x.cols(), x.rows(), x.device());
  run(OpId::transpose, {detail::operand_of(x)}, detail::operand_of(out));
  return record(std::move(out), "transpose", {x}, {},
                [](const BackwardContext& c) { return Gradients{transpose(c.gradient)}; });
}

Tensor reshape(const Tensor& x, std::int64_t rows, std::int64_t cols) {
  const auto refuse = [&] {
    fail(Errc::shape_mismatch, "reshape",
         text("shape: got (", rows, ", ", cols, "), expected ", x.size(), " elements in all"));
  };
  Shape shape{rows, cols};
  if (rows == -1 && cols == -1) refuse();
  if (rows == -1 && cols > 0) shape.rows = x.size() / cols;
  if (cols == -1 && rows > 0) shape.cols = x.size() / rows;
  if (shape.rows < 1 || shape.cols < 1) check_shape("reshape", shape.rows, shape.cols);
  if (shape.rows > x.size() || shape.rows * shape.cols != x.size()) refuse();
  const Shape before = x.shape();
  return record(copy_storage(x, shape), "reshape", {x}, {}, [before](const BackwardContext& c) {
    return Gradients{copy_storage(c.gradient, before)};
  });
}

Tensor slice(const Tensor& x, Slice rows, Slice cols) {
  const Range r = resolve("slice", "rows", rows, x.rows());
  const Range k = resolve("slice", "columns", cols, x.cols());
  const Shape shape = x.shape();
  return record(select(x, r, k), "slice", {x}, {}, [r, k, shape](const BackwardContext& c) {
    return Gradients{scatter(c.gradient, shape, r, k)};
  });
}

Tensor cat(std::span<const Tensor> parts, Axis axis) {
  const bool down = axis == Axis::rows;
  const std::string_view name = down ? "cat_rows" : "cat_cols";
  require(!parts.empty(), Errc::empty_input, name, "tensors: got none, expected at least one");
  Shape shape = parts[0].shape();
  std::vector<Range> ranges{whole(down ? shape.rows : shape.cols)};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Shape part = parts[i].shape();
    check_same_device(name, {&parts[0], &parts[i]});
    if (down ? part.cols != shape.cols : part.rows != shape.rows) {
      fail(Errc::shape_mismatch, name,
           text("tensor ", i, ": got ", to_text(part), ", expected ",
                down ? text(shape.cols, " columns") : text(shape.rows, " rows")));
    }
    std::int64_t& total = down ? shape.rows : shape.cols;
    const std::int64_t length = down ? part.rows : part.cols;
    ranges.push_back({total, 1, length});
    total += length;
  }
  check_shape(name, shape.rows, shape.cols);
  Tensor out = Tensor::empty(shape.rows, shape.cols, parts[0].device());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Range& r = ranges[i];
    run(OpId::slice_assign, {detail::operand_of(parts[i])}, detail::operand_of(out), {},
        {down ? r.start : 0, 1, parts[i].rows(), down ? 0 : r.start, 1, parts[i].cols()});
  }
  return record(std::move(out), name, {parts.begin(), parts.end()}, {},
                [ranges, down, shape](const BackwardContext& c) {
                  Gradients gradients(ranges.size());
                  for (std::size_t i = 0; i < ranges.size(); ++i) {
                    if (!c.needed[i]) continue;
                    gradients[i] = down ? select(c.gradient, ranges[i], whole(shape.cols))
                                        : select(c.gradient, whole(shape.rows), ranges[i]);
                  }
                  return gradients;
                });
}

Tensor clone(const Tensor& x) {
  return record(copy_storage(x, x.shape()), "clone", {x}, {},
                [](const BackwardContext& c) { return Gradients{c.gradient}; });
}

Tensor to_device(const Tensor& x, DeviceId device) {
  if (x.device() == device) return x;
  const auto values = x.host();
  Tensor out = Tensor::empty(x.rows(), x.cols(), device);
  upload(*out.buffer(), 0, values.get(), static_cast<std::size_t>(x.size()) * sizeof(float));
  const DeviceId home = x.device();
  return record(std::move(out), "to", {x}, {}, [home](const BackwardContext& c) {
    return Gradients{to_device(c.gradient, home)};
  });
}

}  // namespace spiraltorch::ops
