#include "spiraltorch/geometry/layers.hpp"

#include <array>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::geometry {
namespace {

using detail::operand_of;
using Gradients = std::vector<std::optional<Tensor>>;

// One launch for what is wanted of a layer's operands, which stand first among what is saved; the
// op's inputs are what is saved, and g.
Gradients layer_gradients(OpId op, const BackwardContext& c, double kappa) {
  Gradients gradients(c.needed.size());
  std::vector<KernelOperand> in;
  std::vector<KernelOperand> out;
  std::int64_t wanted = 0;
  for (std::size_t i = 0; i < c.saved.size(); ++i) {
    const Tensor& x = c.saved[i];
    in.push_back(operand_of(x));
    if (i >= c.needed.size() || !c.needed[i]) continue;
    gradients[i] = Tensor::empty(x.rows(), x.cols(), x.device());
    out.push_back(operand_of(*gradients[i]));
    wanted |= std::int64_t{1} << i;
  }
  in.push_back(operand_of(c.gradient));
  launch(op, {.in = in, .out = out, .scalars = {&kappa, 1}, .ints = {&wanted, 1}});
  return gradients;
}

}  // namespace

Tensor hyperplane_logits(const PoincareBall& ball, const Tensor& x, const Tensor& normals,
                         const Tensor& offsets) {
  check_same_device("hyperplane_logits", {&x, &normals, &offsets});
  if (normals.rows() != x.cols()) {
    fail(Errc::shape_mismatch, "hyperplane_logits",
         text("normals: got ", to_text(normals.shape()), ", expected ", x.cols(), " rows"));
  }
  check_same_shape("hyperplane_logits", "offsets", offsets.shape(), {1, normals.cols()});
  const double kappa = -ball.curvature();
  Tensor out = Tensor::empty(x.rows(), normals.cols(), x.device());
  const std::array in{operand_of(x), operand_of(normals), operand_of(offsets)};
  const KernelOperand result = operand_of(out);
  launch(OpId::poincare_mlr, {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {}});
  const std::vector<Tensor> operands{x, normals, offsets};
  return record(std::move(out), "hyperplane_logits", operands, operands,
                [kappa](const BackwardContext& c) {
                  return layer_gradients(OpId::poincare_mlr_grad, c, kappa);
                });
}

Tensor mobius_affine(const PoincareBall& ball, const Tensor& x, const Tensor& m, const Tensor* b) {
  check_same_device("mobius_affine", {&x, &m});
  if (m.rows() != x.cols()) {
    fail(Errc::shape_mismatch, "mobius_affine",
         text("matrix: got ", to_text(m.shape()), ", expected ", x.cols(), " rows"));
  }
  std::vector<Tensor> operands{x, m};
  if (b != nullptr) {
    check_same_device("mobius_affine", {&x, b});
    check_same_shape("mobius_affine", "bias", b->shape(), {1, m.cols()});
    operands.push_back(*b);
  }
  const double kappa = -ball.curvature();
  Tensor result = Tensor::empty(x.rows(), m.cols(), x.device());
  const Tensor product = Tensor::empty(x.rows(), m.cols(), x.device());
  std::vector<KernelOperand> in;
  for (const Tensor& operand : operands) in.push_back(operand_of(operand));
  const std::array out{operand_of(result), operand_of(product)};
  launch(OpId::poincare_linear, {.in = in, .out = out, .scalars = {&kappa, 1}, .ints = {}});
  std::vector<Tensor> saved = operands;
  saved.push_back(product);
  return record(std::move(result), "mobius_affine", operands, saved,
                [kappa](const BackwardContext& c) {
                  return layer_gradients(OpId::poincare_linear_grad, c, kappa);
                });
}

}  // namespace spiraltorch::geometry
