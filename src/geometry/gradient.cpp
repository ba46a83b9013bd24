#include "geometry/gradient.hpp"

#include <algorithm>
#include <array>

#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::geometry {
namespace {

using detail::operand_of;
using Gradients = std::vector<std::optional<Tensor>>;

Gradients row_gradients(const BackwardContext& c, const RowCall& call) {
  const std::int64_t rows = c.gradient.rows();
  std::vector<KernelOperand> in;
  std::vector<KernelOperand> out;
  Gradients gradients(c.saved.size());
  std::int64_t wanted = 0;
  for (std::size_t k = 0; k < c.saved.size(); ++k) {
    const Tensor& x = c.saved[k];
    in.push_back(repeated(x, rows));
    if (!c.needed[k]) continue;
    wanted |= std::int64_t{1} << k;
    gradients[k] = Tensor::empty(rows, x.cols(), x.device());
    out.push_back(operand_of(*gradients[k]));
  }
  in.push_back(operand_of(c.gradient));
  const std::array ints{static_cast<std::int64_t>(call.op), std::int64_t{call.squared ? 1 : 0},
                        wanted};
  launch(OpId::ball_grad, {.in = in, .out = out, .scalars = {&call.kappa, 1}, .ints = ints});
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    if (!gradients[k] || c.saved[k].rows() == rows) continue;
    gradients[k] = ops::sum(*gradients[k], Axis::rows);
  }
  return gradients;
}

// Gradient by x of the distances to y; g is read by rows of x.
Tensor dist_matrix_gradient(const Tensor& x, const Tensor& y, const KernelOperand& g,
                            double kappa) {
  Tensor out = Tensor::empty(x.rows(), x.cols(), x.device());
  const std::array in{operand_of(x), operand_of(y), g};
  const KernelOperand result = operand_of(out);
  launch(OpId::ball_dist_matrix_grad,
         {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {}});
  return out;
}

}  // namespace

KernelOperand repeated(const Tensor& x, std::int64_t rows) {
  KernelOperand out = operand_of(x);
  if (x.rows() == 1 && rows != 1) out.row_stride = 0;
  out.rows = rows;
  return out;
}

Tensor record_rows(Tensor result, const RowCall& call, const std::vector<Tensor>& operands) {
  return record(std::move(result), call.name, operands, operands,
                [call](const BackwardContext& c) { return row_gradients(c, call); });
}

Tensor record_dist_matrix(Tensor result, const Tensor& x, const Tensor& y, bool same,
                          double kappa) {
  const std::vector<Tensor> inputs = same ? std::vector{x} : std::vector{x, y};
  return record(std::move(result), "dist_matrix", inputs, inputs,
                [same, kappa](const BackwardContext& c) {
                  const Tensor& a = c.saved[0];
                  const Tensor& b = c.saved[same ? 0 : 1];
                  const KernelOperand g = operand_of(c.gradient);
                  KernelOperand turned = g;
                  std::swap(turned.rows, turned.cols);
                  std::swap(turned.row_stride, turned.col_stride);
                  const auto by_x = [&] { return dist_matrix_gradient(a, b, g, kappa); };
                  const auto by_y = [&] { return dist_matrix_gradient(b, a, turned, kappa); };
                  if (same) return Gradients{ops::add(by_x(), by_y())};
                  Gradients out(2);
                  if (c.needed[0]) out[0] = by_x();
                  if (c.needed[1]) out[1] = by_y();
                  return out;
                });
}

Tensor record_mean(Tensor result, const MeanCall& call) {
  std::vector<Tensor> inputs{call.x};
  if (call.weights != nullptr) inputs.push_back(*call.weights);
  const std::vector<Tensor> saved{call.x, call.column, result};
  const auto backward = [op = call.gradient, scale = call.scale,
                         kappa = call.kappa](const BackwardContext& c) {
    const Tensor& points = c.saved[0];
    Tensor by_x = Tensor::empty(points.rows(), points.cols(), points.device());
    Tensor by_w = Tensor::empty(points.rows(), 1, points.device());
    const std::array in{operand_of(points), operand_of(c.saved[1]), operand_of(c.saved[2]),
                        operand_of(c.gradient)};
    const std::array out{operand_of(by_x), operand_of(by_w)};
    launch(op, {.in = in, .out = out, .scalars = {&kappa, 1}, .ints = {}});
    Gradients gradients(c.needed.size());
    gradients[0] = by_x;
    if (c.needed.size() > 1) gradients[1] = ops::scale(by_w, scale);
    return gradients;
  };
  return record(std::move(result), call.name, inputs, saved, backward);
}

}  // namespace spiraltorch::geometry
