#include "spiraltorch/zspace/differential_trace.hpp"

#include <utility>

#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "zspace/checks.hpp"

namespace spiraltorch {
namespace {

// Finite inputs can overflow on the way; a NaN that this leaves is reported, not returned.
Tensor checked_result(std::string_view label, const Tensor& x,
                      const std::optional<OpenTopos>& topos) {
  if (topos) return topos->rewrite(label, x);
  const std::int64_t position = ops::first_non_finite(x, true);
  if (position >= 0) zspace::fail_non_finite("resonate", label, x, position);
  return x.clone();
}

}  // namespace

DifferentialResonance::DifferentialResonance(Tensor flow, Tensor commutator, Tensor value,
                                             Tensor linearisation, Tensor objective,
                                             Tensor projection, Tensor energy)
    : homotopy_flow_(std::move(flow)),
      commutator_(std::move(commutator)),
      functor_value_(std::move(value)),
      functor_linearisation_(std::move(linearisation)),
      recursive_objective_(std::move(objective)),
      infinity_projection_(std::move(projection)),
      infinity_energy_(std::move(energy)) {}

std::vector<std::pair<std::string, Tensor>> DifferentialResonance::as_dict() const {
  return {{"homotopy_flow", homotopy_flow()},
          {"commutator", commutator()},
          {"functor_value", functor_value()},
          {"functor_linearisation", functor_linearisation()},
          {"recursive_objective", recursive_objective()},
          {"infinity_projection", infinity_projection()},
          {"infinity_energy", infinity_energy()}};
}

std::string DifferentialResonance::repr() const {
  return text("DifferentialResonance(rows=", homotopy_flow_.rows(),
              ", cols=", homotopy_flow_.cols(), ", levels=", infinity_energy_.cols(), ")");
}

SpiralDifferentialTrace::SpiralDifferentialTrace(const Tensor& seed, TraceSettings settings)
    : seed_(zspace::constant(seed).clone()), settings_(std::move(settings)) {
  zspace::check_finite("trace", "seed", seed_);
  if (settings_.topos) settings_.topos->guard_tensor("seed", seed_);
}

std::string SpiralDifferentialTrace::repr() const {
  return text("SpiralDifferentialTrace(curvature=", settings_.curvature, ", rows=", seed_.rows(),
              ", cols=", seed_.cols(), ", deformations=", deformations_.size(), ")");
}

Tensor SpiralDifferentialTrace::checked_copy(std::string_view op, std::string_view what,
                                             const Tensor& tensor) const {
  check_same_shape(op, what, tensor.shape(), seed_.shape());
  check_same_device(op, {&seed_, &tensor});
  zspace::check_finite(op, what, tensor);
  return zspace::constant(tensor).clone();
}

SpiralDifferentialTrace& SpiralDifferentialTrace::deform(const Tensor& generator,
                                                         const Tensor& direction) {
  Deformation next{checked_copy("deform", "generator", generator),
                   checked_copy("deform", "direction", direction)};
  deformations_.push_back(std::move(next));
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::via(const Tensor& kernel,
                                                      const std::optional<Tensor>& source) {
  const NoGrad guard;
  const std::int64_t inner = kernel_ ? kernel_->cols() : seed_.cols();
  if (kernel.rows() != inner) {
    fail(Errc::shape_mismatch, "via",
         text("kernel: got ", to_text(kernel.shape()), ", expected ", inner, " rows"));
  }
  check_same_device("via", {&seed_, &kernel});
  zspace::check_finite("via", "kernel", kernel);
  std::optional<Tensor> new_source = source_;
  if (source) new_source = checked_copy("via", "source", *source);
  kernel_ = kernel_ ? kernel_->matmul(kernel) : zspace::constant(kernel).clone();
  source_ = std::move(new_source);
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::across(const OpenTopos& topos) {
  if (!curvatures_match(topos.curvature(), settings_.curvature, topos.tolerance())) {
    fail(Errc::curvature_mismatch, "across",
         text("topos: got curvature ", topos.curvature(), ", expected ", settings_.curvature));
  }
  settings_.topos = topos;
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::with_barycenter(
    const ZSpaceBarycenter& barycenter) {
  ZSpaceBarycenter copy = barycenter;  // a handle's copy shares its data, so each is cloned
  copy.density = zspace::constant(copy.density).clone();
  for (BarycenterIntermediate& stage : copy.intermediates) {
    stage.density = zspace::constant(stage.density).clone();
  }
  barycenter_ = std::move(copy);
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::with_barycenter_from(
    const std::vector<double>& weights, std::span<const Tensor> densities) {
  barycenter_ = z_space_barycenter(densities, weights, settings_.barycenter);
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::with_barycenter_with(
    const std::vector<double>& weights, std::span<const Tensor> densities,
    const std::optional<Tensor>& coupling) {
  BarycenterOptions options = settings_.barycenter;
  options.coupling = coupling;
  barycenter_ = z_space_barycenter(densities, weights, options);
  return *this;
}

SpiralDifferentialTrace& SpiralDifferentialTrace::with_infinity(
    std::span<const Tensor> levels, const std::vector<double>& curvatures) {
  require(!levels.empty(), Errc::empty_input, "with_infinity", "levels: got none, expected some");
  std::vector<Tensor> copies;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    copies.push_back(checked_copy("with_infinity", text("level ", l), levels[l]));
  }
  if (!curvatures.empty() && curvatures.size() != levels.size()) {
    fail(Errc::length_mismatch, "with_infinity",
         text("curvatures: got ", curvatures.size(), ", expected ", levels.size()));
  }
  for (std::size_t l = 0; l < curvatures.size(); ++l) {
    zspace::check_finite("with_infinity", text("curvature ", l), curvatures[l]);
  }
  std::vector<double> numbers = curvatures;
  if (numbers.empty()) numbers.assign(levels.size(), settings_.curvature);
  level_curvatures_ = std::move(numbers);
  levels_ = std::move(copies);
  return *this;
}

Tensor SpiralDifferentialTrace::step(const Tensor& from, const Deformation& by) const {
  return PoincareBall(settings_.curvature).expmap(from, by.generator.hadamard(by.direction));
}

Tensor SpiralDifferentialTrace::commutator(const Tensor& start) const {
  if (deformations_.size() < 2) {
    return {seed_.rows(), seed_.cols(), {.requires_grad = false, .device = seed_.device()}};
  }
  const Tensor h12 = step(step(start, deformations_[0]), deformations_[1]);
  const Tensor h21 = step(step(start, deformations_[1]), deformations_[0]);
  return PoincareBall(settings_.curvature).logmap(h12, h21);
}

std::pair<Tensor, Tensor> SpiralDifferentialTrace::tower() const {
  std::vector<Tensor> levels = levels_;
  std::vector<double> curvatures = level_curvatures_;
  if (levels.empty()) {
    levels.push_back(barycenter_->density);
    curvatures.push_back(settings_.curvature);
  }
  std::vector<Tensor> flat;
  std::vector<double> energies;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    flat.push_back(levels[l].reshape(1, levels[l].size()));
    energies.push_back(std::abs(curvatures[l]) * levels[l].squared_l2_norm());
  }
  const auto count = static_cast<std::int64_t>(levels.size());
  const std::vector<double> shares(levels.size(), 1.0 / static_cast<double>(count));
  const Tensor mean = ops::weighted_sum(Tensor::cat_rows(flat), shares);
  return {mean.reshape(levels[0].rows(), levels[0].cols()),
          Tensor(1, count, std::span<const double>(energies))};
}

DifferentialResonance SpiralDifferentialTrace::resonate() const {
  const NoGrad guard;
  const auto need = [](bool present, std::string_view what) {
    if (!present) {
      fail(Errc::empty_input, "resonate", text(what, ": got none, expected one or more"));
    }
  };
  need(!deformations_.empty(), "deformation");
  need(kernel_.has_value(), "kernel");
  need(barycenter_.has_value(), "barycenter");
  const Tensor start = PoincareBall(settings_.curvature).import(seed_);
  Tensor flow = start;
  for (const Deformation& deformation : deformations_) flow = step(flow, deformation);
  std::vector<double> objectives;
  for (const auto& stage : barycenter_->intermediates) objectives.push_back(stage.objective);
  const auto [projection, energy] = tower();
  const auto guarded = [this](std::string_view label, const Tensor& x) {
    return checked_result(label, x, settings_.topos);
  };
  return {guarded("homotopy_flow", flow),
          guarded("commutator", commutator(start)),
          guarded("functor_value", (source_ ? *source_ : seed_).matmul(*kernel_)),
          guarded("functor_linearisation", deformations_.back().direction.matmul(*kernel_)),
          guarded("recursive_objective", Tensor(1, static_cast<std::int64_t>(objectives.size()),
                                                std::span<const double>(objectives))),
          guarded("infinity_projection", projection),
          guarded("infinity_energy", energy)};
}

DifferentialResonance SpiralDifferentialTrace::resonate_with_hypergrad(Hypergrad& tape) const {
  DifferentialResonance out = resonate();
  tape.accumulate_barycenter_path(barycenter_->intermediates);
  return out;
}

}  // namespace spiraltorch
