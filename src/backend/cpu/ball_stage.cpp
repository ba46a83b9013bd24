#include "backend/cpu/ball_stage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/ball_mean.hpp"

namespace spiraltorch::cpu {
namespace {

void add_scaled(double factor, const double* from, std::int64_t cols, double* to) {
  if (to == nullptr || from == nullptr) return;
  for (std::int64_t j = 0; j < cols; ++j) to[j] += factor * from[j];
}

double product(const double* a, const double* b, std::int64_t cols) {
  return a == nullptr || b == nullptr ? 0.0 : dot(a, b, cols);
}

}  // namespace

double dot(const double* a, const double* b, std::int64_t cols) {
  double sum = 0.0;
  for (std::int64_t j = 0; j < cols; ++j) sum += a[j] * b[j];
  return sum;
}

double clamp_row(double* row, std::int64_t cols, double kappa) {
  const double factor = ball_clamp_factor(std::sqrt(kappa * dot(row, row, cols)));
  if (factor == 1.0) return factor;
  for (std::int64_t j = 0; j < cols; ++j) row[j] *= factor;
  return factor;
}

double load_point(const float* from, double sign, double kappa, std::vector<double>& to) {
  const auto cols = static_cast<std::int64_t>(to.size());
  for (std::size_t j = 0; j < to.size(); ++j) to[j] = sign * from[j];
  if (!std::isfinite(dot(to.data(), to.data(), cols))) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return clamp_row(to.data(), cols, kappa);
}

void clamp_gradient(const double* clamped, double factor, std::int64_t cols, double* g) {
  if (factor == 1.0) return;
  const double along = dot(clamped, g, cols) / dot(clamped, clamped, cols);
  for (std::int64_t j = 0; j < cols; ++j) g[j] = factor * (g[j] - along * clamped[j]);
}

void Stage::evaluate(Coefficients coefficients, const StageRows& rows, double kappa) {
  rows_ = rows;
  const bool summed = rows.b != nullptr;
  if (summed) {
    for (std::int64_t j = 0; j < cols_; ++j) {
      sum_[static_cast<std::size_t>(j)] = rows.a[j] + rows.b[j];
    }
  }
  const double* s = summed ? sum_.data() : nullptr;
  result_ = coefficients(
      {Dual::input(0, product(rows.a, rows.a, cols_)),
       Dual::input(1, product(rows.b, rows.b, cols_)), Dual::input(2, product(s, s, cols_)),
       Dual::input(3, product(rows.v, rows.v, cols_)),
       Dual::input(4, product(rows.a, rows.v, cols_)), Dual::input(5, product(s, rows.v, cols_)),
       Dual::input(6, rows.t), kappa});
}

void Stage::value(double* out) const {
  std::fill(out, out + cols_, 0.0);
  add_scaled(result_.a.value, rows_.a, cols_, out);
  if (rows_.b != nullptr) add_scaled(result_.s.value, sum_.data(), cols_, out);
  add_scaled(result_.v.value, rows_.v, cols_, out);
}

void Stage::pull_back(const double* g, double g_number, StageGradients& into) const {
  const double* s = rows_.b != nullptr ? sum_.data() : nullptr;
  const double ga = product(g, rows_.a, cols_);
  const double gs = product(g, s, cols_);
  const double gv = product(g, rows_.v, cols_);
  const auto by = [&](std::size_t k) {
    return ga * result_.a.by[k] + gs * result_.s.by[k] + gv * result_.v.by[k] +
           g_number * result_.number.by[k];
  };
  into.t += by(6);
  // The sum's gradient is the gradient of both its terms.
  for (double* to : {into.a, into.b}) {
    if (s == nullptr) break;
    add_scaled(result_.s.value, g, cols_, to);
    add_scaled(2.0 * by(2), s, cols_, to);
    add_scaled(by(5), rows_.v, cols_, to);
  }
  add_scaled(result_.a.value, g, cols_, into.a);
  add_scaled(2.0 * by(0), rows_.a, cols_, into.a);
  add_scaled(by(4), rows_.v, cols_, into.a);
  add_scaled(2.0 * by(1), rows_.b, cols_, into.b);
  add_scaled(result_.v.value, g, cols_, into.v);
  add_scaled(2.0 * by(3), rows_.v, cols_, into.v);
  add_scaled(by(4), rows_.a, cols_, into.v);
  add_scaled(by(5), s, cols_, into.v);
}

}  // namespace spiraltorch::cpu
