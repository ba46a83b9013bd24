#include "spiraltorch/geometry/poincare_ball.hpp"

#include <cmath>

#include "geometry/gradient.hpp"
#include "geometry/operands.hpp"
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
using geometry::as_column;
using geometry::common_rows;
using geometry::Operands;

// A constant where a gradient is asked for would be silently wrong.
void refuse_tracked(std::string_view op, Operands operands) {
  require(
      !is_recorded(operands), Errc::unsupported, op,
      "operands: got a tracked tensor, expected constants (detach, or no_grad): the result is a "
      "number");
}

// Runs a row-wise operation on operands that fit `rows` rows.
Tensor run_rows(const geometry::RowCall& call, const std::vector<Tensor>& operands, Shape shape) {
  Tensor out = Tensor::empty(shape.rows, shape.cols, operands[0].device());
  std::vector<KernelOperand> in;
  for (const Tensor& x : operands) in.push_back(geometry::repeated(x, shape.rows));
  const KernelOperand result = operand_of(out);
  const std::int64_t squared = call.squared ? 1 : 0;
  launch(call.op,
         {.in = in, .out = {&result, 1}, .scalars = {&call.kappa, 1}, .ints = {&squared, 1}});
  return geometry::record_rows(std::move(out), call, operands);
}

Tensor run(const geometry::RowCall& call, Operands operands, std::int64_t out_cols = 0) {
  check_same_device(call.name, operands);
  Shape shape = common_rows(call.name, operands);
  if (out_cols != 0) shape.cols = out_cols;
  std::vector<Tensor> rows;
  for (const Tensor* x : operands) rows.push_back(*x);
  return run_rows(call, rows, shape);
}

std::vector<double> weight_values(std::string_view op, const Weights& weights, std::int64_t rows) {
  if (const auto* numbers = std::get_if<std::vector<double>>(&weights)) return *numbers;
  const auto& column = std::get<Tensor>(weights);
  if (column.cols() != 1) {
    fail(Errc::shape_mismatch, op,
         text("weights: got ", to_text(column.shape()), ", expected (", rows, ", 1)"));
  }
  const auto data = column.data();
  return {data.begin(), data.end()};
}

// The column of weights, checked; scaled to a largest one of 1, so that none overflows float32.
struct WeightColumn {
  Tensor column;
  double scale = 1.0;
};
WeightColumn weight_column(std::string_view op, const Weights& weights, const Tensor& x) {
  if (std::holds_alternative<std::monostate>(weights)) {
    return {Tensor::ones(x.rows(), 1, {.requires_grad = false, .device = x.device()})};
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
  return {Tensor(x.rows(), 1, std::span<const double>(values),
                 {.requires_grad = false, .device = x.device()}),
          1.0 / largest};
}

Tensor run_mean(OpId op, const Tensor& x, const Tensor& w, std::initializer_list<double> scalars,
                std::initializer_list<std::int64_t> ints = {}) {
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
  return run({OpId::ball_project, "project", -curvature_}, {&x});
}
Tensor PoincareBall::import(const Tensor& x) const {
  return run({OpId::ball_import, "import", -curvature_}, {&x});
}
Tensor PoincareBall::expmap0(const Tensor& v) const {
  return run({OpId::ball_expmap0, "expmap0", -curvature_}, {&v});
}
Tensor PoincareBall::logmap0(const Tensor& y) const {
  return run({OpId::ball_logmap0, "logmap0", -curvature_}, {&y});
}
Tensor PoincareBall::mobius_add(const Tensor& x, const Tensor& y) const {
  return run({OpId::ball_mobius_add, "mobius_add", -curvature_}, {&x, &y});
}
Tensor PoincareBall::expmap(const Tensor& x, const Tensor& v) const {
  return run({OpId::ball_expmap, "expmap", -curvature_}, {&x, &v});
}
Tensor PoincareBall::logmap(const Tensor& x, const Tensor& y) const {
  return run({OpId::ball_logmap, "logmap", -curvature_}, {&x, &y});
}
Tensor PoincareBall::gyration(const Tensor& a, const Tensor& b, const Tensor& v) const {
  return run({OpId::ball_gyration, "gyration", -curvature_}, {&a, &b, &v});
}
Tensor PoincareBall::parallel_transport(const Tensor& x, const Tensor& y, const Tensor& v) const {
  return run({OpId::ball_parallel_transport, "parallel_transport", -curvature_}, {&x, &y, &v});
}
Tensor PoincareBall::dist(const Tensor& x, const Tensor& y, bool squared) const {
  return run({OpId::ball_dist, "dist", -curvature_, squared}, {&x, &y}, 1);
}
Tensor PoincareBall::conformal_factor(const Tensor& x) const {
  return run({OpId::ball_conformal_factor, "conformal_factor", -curvature_}, {&x}, 1);
}
Tensor PoincareBall::egrad2rgrad(const Tensor& x, const Tensor& g) const {
  return run({OpId::ball_egrad2rgrad, "egrad2rgrad", -curvature_}, {&x, &g});
}
Tensor PoincareBall::to_lorentz(const Tensor& x) const {
  return run({OpId::ball_to_lorentz, "to_lorentz", -curvature_}, {&x}, x.cols() + 1);
}

Tensor PoincareBall::mobius_matvec(const Tensor& m, const Tensor& x) const {
  if (m.rows() != x.cols()) {
    fail(Errc::shape_mismatch, "mobius_matvec",
         text("matrix: got ", to_text(m.shape()), ", expected ", x.cols(), " rows"));
  }
  return expmap0(ops::matmul(logmap0(x), m));
}

Tensor PoincareBall::mobius_scalar(const Scalars& t, const Tensor& x) const {
  Shape shape = x.shape();
  const Tensor column = as_column("mobius_scalar", t, shape.rows, x.device());
  check_same_device("mobius_scalar", {&x, &column});
  return run_rows({OpId::ball_mobius_scalar, "mobius_scalar", -curvature_}, {column, x}, shape);
}

Tensor PoincareBall::geodesic(const Tensor& x, const Tensor& y, const Scalars& t) const {
  Shape shape = common_rows("geodesic", {&x, &y});
  const Tensor column = as_column("geodesic", t, shape.rows, x.device());
  check_same_device("geodesic", {&x, &y, &column});
  return run_rows({OpId::ball_geodesic, "geodesic", -curvature_}, {x, y, column}, shape);
}

Tensor PoincareBall::dist_matrix(const Tensor& x, const std::optional<Tensor>& y) const {
  const Tensor& other = y ? *y : x;
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
  return geometry::record_dist_matrix(std::move(out), x, other, !y, kappa);
}

Tensor PoincareBall::gyromidpoint(const Tensor& x, const Weights& weights) const {
  const WeightColumn w = weight_column("gyromidpoint", weights, x);
  return geometry::record_mean(run_mean(OpId::ball_gyromidpoint, x, w.column, {-curvature_}),
                               {OpId::ball_gyromidpoint_grad, "gyromidpoint", x, w.column,
                                std::get_if<Tensor>(&weights), w.scale, -curvature_});
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
  const WeightColumn w = weight_column("frechet_mean", weights, x);
  return geometry::record_mean(
      run_mean(OpId::ball_frechet_mean, x, w.column, {-curvature_, tol}, {max_iter}),
      {OpId::ball_frechet_mean_grad, "frechet_mean", x, w.column, std::get_if<Tensor>(&weights),
       w.scale, -curvature_});
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
