#include "spiraltorch/geometry/poincare_ball.hpp"

#include <cmath>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {
namespace {

using detail::operand_of;
using Operands = std::initializer_list<const Tensor*>;

// A constant where a gradient is asked for would be silently wrong.
void refuse_tracked(std::string_view op, Operands operands) {
  require(!is_recorded(operands), Errc::unsupported, op,
          "operands: got a tracked tensor, expected constants (detach, or no_grad): gradients "
          "through geometry are not available");
}

// r of operands that are (r,c) or (1,c).
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

KernelOperand repeated(const Tensor& x, Shape shape) {
  KernelOperand out = operand_of(x);
  if (x.rows() == 1 && shape.rows != 1) out.row_stride = 0;
  out.rows = shape.rows;
  return out;
}

Tensor run(OpId op, std::string_view name, Operands operands, double kappa,
           std::int64_t out_cols = 0, std::initializer_list<std::int64_t> ints = {}) {
  refuse_tracked(name, operands);
  check_same_device(name, operands);
  const Shape shape = common_rows(name, operands);
  Tensor out = Tensor::empty(shape.rows, out_cols == 0 ? shape.cols : out_cols,
                             (*operands.begin())->device());
  std::vector<KernelOperand> in;
  for (const Tensor* x : operands) in.push_back(repeated(*x, shape));
  const KernelOperand result = operand_of(out);
  launch(
      op,
      {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {ints.begin(), ints.size()}});
  return out;
}

// t as a (1,1) or (r,1) tensor beside operands of r rows.
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
  refuse_tracked(op, {&column});
  rows = std::max(rows, column.rows());
  return column;
}

std::vector<double> weight_values(std::string_view op, const Weights& weights, std::int64_t rows) {
  if (const auto* numbers = std::get_if<std::vector<double>>(&weights)) return *numbers;
  const auto& column = std::get<Tensor>(weights);
  refuse_tracked(op, {&column});
  if (column.cols() != 1) {
    fail(Errc::shape_mismatch, op,
         text("weights: got ", to_text(column.shape()), ", expected (", rows, ", 1)"));
  }
  const auto data = column.data();
  return {data.begin(), data.end()};
}

// The column of weights, checked; scaled to a largest one of 1, so that none overflows float32.
Tensor weight_column(std::string_view op, const Weights& weights, const Tensor& x) {
  if (std::holds_alternative<std::monostate>(weights)) {
    return Tensor::ones(x.rows(), 1, {.requires_grad = false, .device = x.device()});
  }
  auto values = weight_values(op, weights, x.rows());
  if (!std::cmp_equal(values.size(), x.rows())) {
    fail(Errc::length_mismatch, op,
         text("weights: got ", values.size(), ", expected one a row: ", x.rows()));
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w = values[i];
    if (!std::isfinite(w)) {
      fail(Errc::non_finite, op, text("weight ", i, ": got ", w, ", expected a finite number"));
    }
    if (w < 0) fail(Errc::invalid_value, op, text("weight ", i, ": got ", w, ", expected >= 0"));
    largest = std::max(largest, w);
  }
  require(largest > 0, Errc::invalid_value, op, "weights: got all 0, expected a positive sum");
  for (double& w : values) w /= largest;
  return {
      x.rows(), 1, std::span<const double>(values), {.requires_grad = false, .device = x.device()}};
}

Tensor run_mean(OpId op, std::string_view name, const Tensor& x, const Weights& weights,
                std::initializer_list<double> scalars,
                std::initializer_list<std::int64_t> ints = {}) {
  refuse_tracked(name, {&x});
  const Tensor w = weight_column(name, weights, x);
  Tensor out = Tensor::empty(1, x.cols(), x.device());
  const std::array in{operand_of(x), operand_of(w)};
  const KernelOperand result = operand_of(out);
  launch(op, {.in = in,
              .out = {&result, 1},
              .scalars = {scalars.begin(), scalars.size()},
              .ints = {ints.begin(), ints.size()}});
  return out;
}

}  // namespace

void check_curvature(std::string_view op, double curvature) {
  const double kappa = -curvature;
  if (std::isfinite(curvature) && kappa >= kMinKappa && kappa <= kMaxKappa) return;
  fail(Errc::curvature, op,
       text("curvature: got ", curvature, ", expected a number in [-1e12, -1e-12]"));
}

PoincareBall::PoincareBall(double curvature) : curvature_(curvature) {
  check_curvature("PoincareBall", curvature);
}

double PoincareBall::radius() const noexcept { return 1.0 / std::sqrt(-curvature_); }

std::string PoincareBall::repr() const { return text("PoincareBall(curvature=", curvature_, ")"); }

Tensor PoincareBall::project(const Tensor& x) const {
  return run(OpId::ball_project, "project", {&x}, -curvature_);
}
Tensor PoincareBall::import(const Tensor& x) const {
  return run(OpId::ball_import, "import", {&x}, -curvature_);
}
Tensor PoincareBall::expmap0(const Tensor& v) const {
  return run(OpId::ball_expmap0, "expmap0", {&v}, -curvature_);
}
Tensor PoincareBall::logmap0(const Tensor& y) const {
  return run(OpId::ball_logmap0, "logmap0", {&y}, -curvature_);
}
Tensor PoincareBall::mobius_add(const Tensor& x, const Tensor& y) const {
  return run(OpId::ball_mobius_add, "mobius_add", {&x, &y}, -curvature_);
}
Tensor PoincareBall::expmap(const Tensor& x, const Tensor& v) const {
  return run(OpId::ball_expmap, "expmap", {&x, &v}, -curvature_);
}
Tensor PoincareBall::logmap(const Tensor& x, const Tensor& y) const {
  return run(OpId::ball_logmap, "logmap", {&x, &y}, -curvature_);
}
Tensor PoincareBall::gyration(const Tensor& a, const Tensor& b, const Tensor& v) const {
  return run(OpId::ball_gyration, "gyration", {&a, &b, &v}, -curvature_);
}
Tensor PoincareBall::parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v) const {
  return run(OpId::ball_parallel_transport, "parallel_transport", {&x, &y, &v}, -curvature_);
}
Tensor PoincareBall::dist(const Tensor& x, const Tensor& y, bool squared) const {
  return run(OpId::ball_dist, "dist", {&x, &y}, -curvature_, 1, {squared ? 1 : 0});
}
Tensor PoincareBall::conformal_factor(const Tensor& x) const {
  return run(OpId::ball_conformal_factor, "conformal_factor", {&x}, -curvature_, 1);
}
Tensor PoincareBall::egrad2rgrad(const Tensor& x, const Tensor& g) const {
  return run(OpId::ball_egrad2rgrad, "egrad2rgrad", {&x, &g}, -curvature_);
}
Tensor PoincareBall::to_lorentz(const Tensor& x) const {
  return run(OpId::ball_to_lorentz, "to_lorentz", {&x}, -curvature_, x.cols() + 1);
}

Tensor PoincareBall::mobius_matvec(const Tensor& m, const Tensor& x) const {
  refuse_tracked("mobius_matvec", {&m, &x});
  if (m.rows() != x.cols()) {
    fail(Errc::shape_mismatch, "mobius_matvec",
         text("matrix: got ", to_text(m.shape()), ", expected ", x.cols(), " rows"));
  }
  return expmap0(ops::matmul(logmap0(x), m));
}

Tensor PoincareBall::mobius_scalar(const Scalars& t, const Tensor& x) const {
  refuse_tracked("mobius_scalar", {&x});
  Shape shape = x.shape();
  const Tensor column = as_column("mobius_scalar", t, shape.rows, x.device());
  check_same_device("mobius_scalar", {&x, &column});
  Tensor out = Tensor::empty(shape.rows, shape.cols, x.device());
  const std::array in{repeated(column, shape), repeated(x, shape)};
  const KernelOperand result = operand_of(out);
  const double kappa = -curvature_;
  launch(OpId::ball_mobius_scalar,
         {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {}});
  return out;
}

Tensor PoincareBall::geodesic(const Tensor& x, const Tensor& y, const Scalars& t) const {
  refuse_tracked("geodesic", {&x, &y});
  Shape shape = common_rows("geodesic", {&x, &y});
  const Tensor column = as_column("geodesic", t, shape.rows, x.device());
  check_same_device("geodesic", {&x, &y, &column});
  Tensor out = Tensor::empty(shape.rows, shape.cols, x.device());
  const std::array in{repeated(x, shape), repeated(y, shape), repeated(column, shape)};
  const KernelOperand result = operand_of(out);
  const double kappa = -curvature_;
  launch(OpId::ball_geodesic, {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {}});
  return out;
}

Tensor PoincareBall::dist_matrix(const Tensor& x, const std::optional<Tensor>& y) const {
  const Tensor& other = y ? *y : x;
  refuse_tracked("dist_matrix", {&x, &other});
  check_same_device("dist_matrix", {&x, &other});
  if (other.cols() != x.cols()) {
    fail(Errc::shape_mismatch, "dist_matrix",
         text("columns: got ", x.cols(), " and ", other.cols(), ", expected equal numbers"));
  }
  Tensor out = Tensor::empty(x.rows(), other.rows(), x.device());
  const std::array in{operand_of(x), operand_of(other)};
  const KernelOperand result = operand_of(out);
  const double kappa = -curvature_;
  const std::int64_t same = y ? 0 : 1;
  launch(OpId::ball_dist_matrix,
         {.in = in, .out = {&result, 1}, .scalars = {&kappa, 1}, .ints = {&same, 1}});
  return out;
}

Tensor PoincareBall::gyromidpoint(const Tensor& x, const Weights& weights) const {
  return run_mean(OpId::ball_gyromidpoint, "gyromidpoint", x, weights, {-curvature_});
}

Tensor PoincareBall::frechet_mean(const Tensor& x, const Weights& weights, double tol,
                                  std::int64_t max_iter) const {
  if (!(tol > 0) || !std::isfinite(tol)) {
    fail(std::isfinite(tol) ? Errc::invalid_value : Errc::non_finite, "frechet_mean",
         text("tol: got ", tol, ", expected a finite number > 0"));
  }
  if (max_iter < 1) {
    fail(Errc::invalid_value, "frechet_mean", text("max_iter: got ", max_iter, ", expected >= 1"));
  }
  return run_mean(OpId::ball_frechet_mean, "frechet_mean", x, weights, {-curvature_, tol},
                  {max_iter});
}

Tensor Tensor::project_to_poincare(double curvature) const {
  check_curvature("project_to_poincare", curvature);
  return PoincareBall(curvature).expmap0(*this);
}

double Tensor::hyperbolic_distance(const Tensor& other, double curvature) const {
  check_curvature("hyperbolic_distance", curvature);
  refuse_tracked("hyperbolic_distance", {this, &other});
  check_same_device("hyperbolic_distance", {this, &other});
  check_same_shape("hyperbolic_distance", "other", other.shape(), shape());
  const auto count = static_cast<std::size_t>(rows());
  const auto buffer = Buffer::allocate(device(), count * sizeof(double));
  const std::array in{operand_of(*this), operand_of(other)};
  const KernelOperand out = operand(*buffer, {rows(), 1}, ElementType::f64);
  const double kappa = -curvature;
  const std::int64_t squared = 1;
  launch(OpId::ball_dist,
         {.in = in, .out = {&out, 1}, .scalars = {&kappa, 1}, .ints = {&squared, 1}});
  std::vector<double> squares(count);
  download(*buffer, 0, squares.data(), count * sizeof(double));
  double sum = 0.0;
  for (const double d : squares) sum += d;
  return std::sqrt(sum);
}

}  // namespace spiraltorch
