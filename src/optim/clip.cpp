#include "spiraltorch/optim/clip.hpp"

#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "optim/checks.hpp"
#include "optim/gradient.hpp"
#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::optim {
namespace {

// A gradient and, on the ball, its points. Of a gradient in few rows: those.
struct Term {
  Tensor gradient;
  Tensor points;
  double kappa;
  bool watched = false;  // not part of the norm
};

Term term_of(const nn::Parameter& p, const Tensor& gradient) {
  return {gradient, p, -curvature_of(p.manifold())};
}

Term term_of(const nn::Parameter& p, const detail::RowGradient& gradient) {
  const Tensor points = ops::index_select(p, gradient.rows);
  return {gradient.values, points, -curvature_of(p.manifold())};
}

// Sums of squares of one device's gradients, side by side in one buffer that the host reads once.
std::vector<double> squares_of(const std::vector<Term>& terms) {
  const auto n = static_cast<std::int64_t>(terms.size());
  const auto buffer =
      Buffer::allocate(terms.front().gradient.device(), terms.size() * sizeof(double));
  const KernelOperand out = operand(*buffer, {1, n}, ElementType::f64);
  for (std::int64_t i = 0; i < n; ++i) {
    const Term& term = terms[static_cast<std::size_t>(i)];
    const std::array in{detail::operand_of(term.gradient), detail::operand_of(term.points)};
    launch(OpId::optim_squares, {.in = std::span(in).first(term.kappa > 0.0 ? 2 : 1),
                                 .out = {&out, 1},
                                 .scalars = {&term.kappa, 1},
                                 .ints = {&i, 1}});
  }
  std::vector<double> sums(terms.size());
  download(*buffer, 0, sums.data(), sums.size() * sizeof(double));
  return sums;
}

}  // namespace

double gradient_norm(std::span<const nn::Parameter> parameters) {
  return gradient_norm(parameters, {}).norm;
}

WatchedNorm gradient_norm(std::span<const nn::Parameter> parameters,
                          std::span<const Tensor> watched) {
  const NoGrad guard;
  std::map<std::string, std::vector<Term>> by_device;
  for (const Tensor& x : watched) by_device[to_text(x.device())].push_back({x, x, 0.0, true});
  for (const nn::Parameter& p : parameters) {
    if (const auto rows = detail::row_gradient(p)) {
      by_device[to_text(p.device())].push_back(term_of(p, *rows));
    } else if (const auto gradient = gradient_of(p)) {
      check_same_device("gradient_norm", {&p, &*gradient});
      by_device[to_text(p.device())].push_back(term_of(p, *gradient));
    }
  }
  WatchedNorm out;
  for (const auto& [device, terms] : by_device) {
    const auto squares = squares_of(terms);
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (terms[i].watched) {
        out.squares.push_back(squares[i]);
      } else {
        out.norm += squares[i];
      }
    }
  }
  out.norm = std::sqrt(out.norm);
  return out;
}

double clip_grad_norm_(std::span<nn::Parameter> parameters, double max_norm) {
  constexpr std::string_view kName = "clip_grad_norm_";
  check_setting(kName, "max_norm", max_norm, max_norm > 0.0, "> 0");
  const double norm = gradient_norm(parameters);
  if (!std::isfinite(norm)) {
    fail(Errc::non_finite, kName,
         text("norm of the gradients: got ", norm, ", expected a finite number"));
  }
  if (norm <= max_norm) return norm;
  const NoGrad guard;
  const double factor = max_norm / norm;
  std::vector<std::pair<nn::Parameter*, Tensor>> scaled;
  std::vector<std::pair<nn::Parameter*, detail::RowGradient>> scaled_rows;
  for (nn::Parameter& p : parameters) {
    if (const auto rows = detail::row_gradient(p)) {
      scaled_rows.emplace_back(&p, detail::RowGradient{rows->rows, rows->values.scale(factor)});
    } else if (const auto gradient = gradient_of(p)) {
      scaled.emplace_back(&p, gradient->scale(factor));
    }
  }
  for (auto& [p, gradient] : scaled) p->set_grad(gradient);
  for (auto& [p, gradient] : scaled_rows) detail::set_row_gradient(*p, std::move(gradient));
  return norm;
}

}  // namespace spiraltorch::optim
