#include "spiraltorch/optim/clip.hpp"

#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "optim/checks.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch::optim {
namespace {

struct Term {
  nn::Parameter parameter;
  Tensor gradient;
};

// Sums of squares of one device's gradients, side by side in one buffer that the host reads once.
std::vector<double> squares_of(const std::vector<Term>& terms) {
  const auto n = static_cast<std::int64_t>(terms.size());
  const auto buffer =
      Buffer::allocate(terms.front().gradient.device(), terms.size() * sizeof(double));
  const KernelOperand out = operand(*buffer, {1, n}, ElementType::f64);
  for (std::int64_t i = 0; i < n; ++i) {
    const Term& term = terms[static_cast<std::size_t>(i)];
    const double kappa = -curvature_of(term.parameter.manifold());
    const std::array in{detail::operand_of(term.gradient), detail::operand_of(term.parameter)};
    launch(OpId::optim_squares, {.in = std::span(in).first(kappa > 0.0 ? 2 : 1),
                                 .out = {&out, 1},
                                 .scalars = {&kappa, 1},
                                 .ints = {&i, 1}});
  }
  std::vector<double> sums(terms.size());
  download(*buffer, 0, sums.data(), sums.size() * sizeof(double));
  return sums;
}

}  // namespace

double gradient_norm(std::span<const nn::Parameter> parameters) {
  const NoGrad guard;
  std::map<std::string, std::vector<Term>> by_device;
  for (const nn::Parameter& p : parameters) {
    const auto gradient = p.grad();
    if (!gradient) continue;
    check_same_device("gradient_norm", {&p, &*gradient});
    by_device[to_text(p.device())].push_back({p, *gradient});
  }
  double sum = 0.0;
  for (const auto& [device, terms] : by_device) {
    for (const double term : squares_of(terms)) sum += term;
  }
  return std::sqrt(sum);
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
  std::vector<std::pair<nn::Parameter*, Tensor>> scaled;
  for (nn::Parameter& p : parameters) {
    if (const auto gradient = p.grad()) scaled.emplace_back(&p, gradient->scale(max_norm / norm));
  }
  for (auto& [p, gradient] : scaled) p->set_grad(gradient);
  return norm;
}

}  // namespace spiraltorch::optim
