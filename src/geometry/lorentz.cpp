#include "spiraltorch/geometry/lorentz.hpp"

#include <array>
#include <cmath>

#include "geometry/gradient.hpp"
#include "geometry/operands.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/lorentz_op.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

using detail::operand_of;
using geometry::Operands;
using geometry::repeated;
using Gradients = std::vector<std::optional<Tensor>>;

Gradients gradients_of(const LorentzInfo& info, double kappa, const std::vector<Tensor>& operands,
                       const Tensor& g, const std::vector<bool>& needed) {
  std::vector<KernelOperand> in;
  std::vector<KernelOperand> out;
  Gradients gradients(operands.size());
  std::int64_t wanted = 0;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    in.push_back(repeated(operands[k], g.rows()));
    if (!needed[k]) continue;
    wanted |= std::int64_t{1} << k;
    gradients[k] = Tensor::empty(g.rows(), operands[k].cols(), g.device());
    out.push_back(operand_of(*gradients[k]));
  }
  in.push_back(operand_of(g));
  const std::array ints{static_cast<std::int64_t>(info.op), wanted};
  launch(OpId::lorentz_rows_grad, {.in = in, .out = out, .scalars = {&kappa, 1}, .ints = ints});
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (!gradients[k] || operands[k].rows() == g.rows()) continue;
    gradients[k] = ops::sum(*gradients[k], Axis::rows);
  }
  return gradients;
}

// Runs an operation on operands that fit `rows` rows, of which the first has the columns of all.
Tensor run_rows(LorentzOp op, double kappa, const std::vector<Tensor>& operands,
                std::int64_t rows) {
  const LorentzInfo& info = lorentz_info(op);
  const std::int64_t space = lorentz_space(info, operands[0].cols());
  if (space < 1) {
    fail(Errc::shape_mismatch, info.name,
         text("columns: got ", operands[0].cols(), ", expected time and at least one of space"));
  }
  Tensor out = Tensor::empty(rows, lorentz_result_cols(info, space), operands[0].device());
  std::vector<KernelOperand> in;
  for (const Tensor& x : operands) in.push_back(repeated(x, rows));
  const KernelOperand result = operand_of(out);
  const auto code = static_cast<std::int64_t>(op);
  launch(OpId::lorentz_rows,
         {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {&code, 1}});
  return record(std::move(out), info.name, operands, operands,
                [&info, kappa](const BackwardContext& c) {
                  return gradients_of(info, kappa, c.saved, c.gradient, c.needed);
                });
}

Tensor run(LorentzOp op, double kappa, Operands operands) {
  const std::string_view name = lorentz_info(op).name;
  check_same_device(name, operands);
  std::vector<Tensor> rows;
  for (const Tensor* x : operands) rows.push_back(*x);
  return run_rows(op, kappa, rows, geometry::common_rows(name, operands).rows);
}

// By x (r,c) and y (s,c) of the distances of all pairs, a row of x at a time.
Gradients dist_matrix_gradients(const Tensor& x, const Tensor& y, const Tensor& g, double kappa,
                                bool by_x, bool by_y) {
  const LorentzInfo& info = lorentz_info(LorentzOp::dist);
  std::vector<Tensor> rows;
  std::optional<Tensor> sum;
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    const Tensor column = ops::transpose(g.row(i));
    Gradients both = gradients_of(info, kappa, {x.row(i), y}, column, {by_x, by_y});
    if (by_x) rows.push_back(*both[0]);
    if (by_y) sum = sum ? ops::add(*sum, *both[1]) : *both[1];
  }
  Gradients out(2);
  if (by_x) out[0] = Tensor::cat_rows(rows);
  out[1] = sum;
  return out;
}

}  // namespace

Lorentz::Lorentz(double curvature) : curvature_(curvature) {
  check_curvature("Lorentz", curvature);
}

double Lorentz::radius() const noexcept { return 1.0 / std::sqrt(-curvature_); }

std::string Lorentz::repr() const { return text("Lorentz(curvature=", curvature_, ")"); }

Tensor Lorentz::project(const Tensor& x) const {
  return run(LorentzOp::project, -curvature_, {&x});
}
Tensor Lorentz::expmap0(const Tensor& v) const {
  return run(LorentzOp::expmap0, -curvature_, {&v});
}
Tensor Lorentz::logmap0(const Tensor& y) const {
  return run(LorentzOp::logmap0, -curvature_, {&y});
}
Tensor Lorentz::expmap(const Tensor& x, const Tensor& v) const {
  return run(LorentzOp::expmap, -curvature_, {&x, &v});
}
Tensor Lorentz::logmap(const Tensor& x, const Tensor& y) const {
  return run(LorentzOp::logmap, -curvature_, {&x, &y});
}
Tensor Lorentz::dist(const Tensor& x, const Tensor& y, bool squared) const {
  return run(squared ? LorentzOp::squared_dist : LorentzOp::dist, -curvature_, {&x, &y});
}
Tensor Lorentz::parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v) const {
  return run(LorentzOp::parallel_transport, -curvature_, {&x, &y, &v});
}
Tensor Lorentz::egrad2rgrad(const Tensor& x, const Tensor& g) const {
  return run(LorentzOp::egrad2rgrad, -curvature_, {&x, &g});
}
Tensor Lorentz::conformal_factor(const Tensor& x) const {
  return run(LorentzOp::conformal_factor, -curvature_, {&x});
}
Tensor Lorentz::to_poincare(const Tensor& x) const {
  return run(LorentzOp::to_poincare, -curvature_, {&x});
}
Tensor Lorentz::to_poincare_tangent(const Tensor& x, const Tensor& v) const {
  return run(LorentzOp::to_poincare_tangent, -curvature_, {&x, &v});
}
Tensor Lorentz::from_poincare_tangent(const Tensor& p, const Tensor& w) const {
  return run(LorentzOp::from_poincare_tangent, -curvature_, {&p, &w});
}
Tensor Lorentz::from_poincare(const Tensor& p) const { return ball().to_lorentz(p); }

Tensor Lorentz::lift(const Tensor& t) const {
  const std::array parts{Tensor::zeros(t.rows(), 1, {.requires_grad = false, .device = t.device()}),
                         t};
  return Tensor::cat_cols(parts);
}

Tensor Lorentz::drop(const Tensor& t) const {
  if (t.cols() < 2) {
    fail(Errc::shape_mismatch, "drop",
         text("columns: got ", t.cols(), ", expected time and at least one of space"));
  }
  return t.slice({}, {.start = 1});
}

Tensor Lorentz::geodesic(const Tensor& x, const Tensor& y, const Scalars& t) const {
  std::int64_t rows = geometry::common_rows("geodesic", {&x, &y}).rows;
  const Tensor column = geometry::as_column("geodesic", t, rows, x.device());
  check_same_device("geodesic", {&x, &y, &column});
  return run_rows(LorentzOp::geodesic, -curvature_, {x, y, column}, rows);
}

Tensor Lorentz::dist_matrix(const Tensor& x, const std::optional<Tensor>& y) const {
  const Tensor& other = y ? *y : x;
  check_same_device("dist_matrix", {&x, &other});
  if (other.cols() != x.cols() || x.cols() < 2) {
    fail(Errc::shape_mismatch, "dist_matrix",
         text("columns: got ", x.cols(), " and ", other.cols(),
              ", expected equal numbers, time and at least one of space"));
  }
  Tensor out = Tensor::empty(x.rows(), other.rows(), x.device());
  const std::array in{operand_of(x), operand_of(other)};
  const KernelOperand result = operand_of(out);
  const double kappa = -curvature_;
  launch(OpId::lorentz_dist_matrix,
         {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {}});
  const std::vector<Tensor> inputs = y ? std::vector{x, *y} : std::vector{x};
  return record(std::move(out), "dist_matrix", inputs, inputs, [kappa](const BackwardContext& c) {
    const bool same = c.saved.size() == 1;
    const Tensor& b = c.saved[same ? 0 : 1];
    Gradients both =
        dist_matrix_gradients(c.saved[0], b, c.gradient, kappa, c.needed[0], same || c.needed[1]);
    if (same) return Gradients{ops::add(*both[0], *both[1])};
    return both;
  });
}

Tensor Lorentz::mobius_add(const Tensor& x, const Tensor& y) const {
  return from_poincare(ball().mobius_add(to_poincare(x), to_poincare(y)));
}
Tensor Lorentz::mobius_scalar(const Scalars& t, const Tensor& x) const {
  return from_poincare(ball().mobius_scalar(t, to_poincare(x)));
}
Tensor Lorentz::mobius_matvec(const Tensor& m, const Tensor& x) const {
  return from_poincare(ball().mobius_matvec(m, to_poincare(x)));
}
Tensor Lorentz::gyration(const Tensor& a, const Tensor& b, const Tensor& v) const {
  return from_poincare(ball().gyration(to_poincare(a), to_poincare(b), to_poincare(v)));
}
Tensor Lorentz::gyromidpoint(const Tensor& x, const Weights& weights) const {
  return from_poincare(ball().gyromidpoint(to_poincare(x), weights));
}
Tensor Lorentz::frechet_mean(const Tensor& x, const Weights& weights, double tol,
                             std::int64_t max_iter) const {
  return from_poincare(ball().frechet_mean(to_poincare(x), weights, tol, max_iter));
}

}  // namespace spiraltorch
