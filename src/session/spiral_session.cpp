#include "spiraltorch/session/spiral_session.hpp"

#include <cmath>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/probe.hpp"
#include "spiraltorch/sot/plan.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "SpiralSession";

void check_options(const SessionOptions& o) {
  check_curvature(kName, o.curvature);
  const auto finite = [](std::string_view what, double value) {
    if (std::isfinite(value)) return;
    fail(Errc::non_finite, kName, text(what, ": got ", value, ", expected a finite number"));
  };
  finite("hyper_learning_rate", o.hyper_learning_rate);
  finite("fallback_learning_rate", o.fallback_learning_rate);
  finite("entropy_weight", o.entropy_weight);
  finite("beta_j", o.beta_j);
  const auto positive = [](std::string_view what, double value) {
    if (value > 0) return;
    fail(Errc::invalid_value, kName, text(what, ": got ", value, ", expected > 0"));
  };
  positive("hyper_learning_rate", o.hyper_learning_rate);
  positive("fallback_learning_rate", o.fallback_learning_rate);
  if (o.coupling) {
    const Shape shape = o.coupling->shape();
    check_same_shape(kName, "coupling", shape, {shape.rows, shape.rows});
    if (ops::first_non_finite(*o.coupling) >= 0) {
      fail(Errc::non_finite, kName, "coupling: got a non-finite entry, expected finite ones");
    }
  }
  if (o.topos && !curvatures_match(o.topos->curvature(), o.curvature, o.topos->tolerance())) {
    fail(Errc::curvature_mismatch, kName,
         text("topos: got curvature ", o.topos->curvature(), ", expected ", o.curvature));
  }
}

}  // namespace

SpiralSession::SpiralSession(SessionOptions options) : options_(std::move(options)) {
  check_options(options_);
  if (options_.coupling) options_.coupling = options_.coupling->detach().clone();
  device_ = resolve_device(kName, options_.device, options_.strict);
  if (options_.seed) manual_seed(*options_.seed);
}

void SpiralSession::check_open(std::string_view op) const {
  require(!closed_, Errc::invalid_value, op, "session: got a closed one, expected an open one");
}

SharedPlan SpiralSession::plan(RankKind kind, std::int64_t rows, std::int64_t cols,
                               std::int64_t k) const {
  check_open("plan");
  return plan_for({kind, rows, cols, k}, device());
}

DeviceCaps SpiralSession::device_caps() const {
  check_open("device_caps");
  return describe_device(device_);
}

OpenTopos SpiralSession::topos() const {
  return options_.topos ? *options_.topos : OpenTopos(options_.curvature);
}

std::string SpiralSession::repr() const {
  return text("SpiralSession(device=", device(), ", curvature=", options_.curvature,
              ", hyper_lr=", options_.hyper_learning_rate,
              ", fallback_lr=", options_.fallback_learning_rate, ")");
}

std::optional<Tensor> SpiralSession::coupling() const {
  if (!options_.coupling) return {};
  return options_.coupling->clone();
}

LanguageWaveEncoder SpiralSession::encoder(double temperature) const {
  check_open("encoder");
  return {options_.curvature, temperature};
}

ZSpaceBarycenter SpiralSession::barycenter(std::span<const Tensor> densities,
                                           const std::optional<std::vector<double>>& weights,
                                           std::optional<double> entropy_weight,
                                           std::optional<double> beta_j,
                                           const std::optional<Tensor>& coupling) const {
  check_open("barycenter");
  std::optional<Tensor> chosen = coupling;
  if (!chosen && options_.coupling && !densities.empty()) {
    chosen = options_.coupling->to(densities[0].device());  // the session's own copy
  }
  return z_space_barycenter(
      densities, weights,
      {entropy_weight.value_or(options_.entropy_weight), beta_j.value_or(options_.beta_j), chosen});
}

Hypergrad SpiralSession::hypergrad(std::int64_t rows, std::int64_t cols) const {
  check_open("hypergrad");
  return {options_.curvature, options_.hyper_learning_rate, rows, cols, options_.topos};
}

void SpiralSession::align_hypergrad(Hypergrad& tape, const ZSpaceBarycenter& barycenter) const {
  check_open("align_hypergrad");
  tape.accumulate_barycenter_path(barycenter.intermediates);
}

SpiralDifferentialTrace SpiralSession::trace(const Tensor& seed,
                                             const std::optional<TracePlanOptions>& plan) const {
  check_open("trace");
  SpiralDifferentialTrace out(seed, {options_.curvature,
                                     {options_.entropy_weight, options_.beta_j, options_.coupling},
                                     options_.topos});
  if (!plan) return out;
  const SoT3DPlan spiral(
      plan->steps.value_or(seed.size()),
      {plan->base_radius, plan->radial_growth, plan->base_height, plan->meso_gain, plan->micro_gain,
       parse_spacing("trace", plan->spacing)});
  if (spiral.total_steps() > 0) out.attach_sot_plan(std::make_shared<const SoT3DPlan>(spiral));
  return out;
}

std::unique_ptr<ModuleTrainer> SpiralSession::trainer(std::shared_ptr<optim::Optimizer> optimizer,
                                                      std::shared_ptr<optim::Scheduler> scheduler,
                                                      std::optional<double> clip_norm) const {
  check_open("trainer");
  return std::make_unique<ModuleTrainer>(TrainerOptions{
      device(), options_.curvature, options_.hyper_learning_rate, options_.fallback_learning_rate,
      std::move(optimizer), std::move(scheduler), clip_norm});
}

RoundtableSchedule SpiralSession::roundtable(std::int64_t rows, std::int64_t cols,
                                             RoundtableOptions options) const {
  check_open("roundtable");
  options.device = device();
  return {rows, cols, std::move(options)};
}

nn::ModulePtr SpiralSession::prepare_module(const nn::ModulePtr& module) const {
  check_open("prepare_module");
  require(module != nullptr, Errc::invalid_value, "prepare_module",
          "module: got none, expected one");
  const NoGrad guard;
  std::vector<std::pair<nn::Parameter, std::shared_ptr<Hypergrad>>> tapes;
  for (const auto& [name, parameter] : module->named_parameters()) {
    const Shape shape = parameter.shape();
    const double own = curvature_of(parameter.manifold());
    if (own != 0.0 && !curvatures_match(own, options_.curvature)) {
      fail(Errc::curvature_mismatch, "prepare_module",
           text("parameter '", name, "': got curvature ", own, ", expected the session's, ",
                options_.curvature));
    }
    if (parameter.device() != device_) check_inplace("prepare_module", parameter);
    const double rate = options_.hyper_learning_rate;
    tapes.emplace_back(
        parameter,
        std::make_shared<Hypergrad>(
            own == 0.0 ? Hypergrad::euclidean(rate, shape.rows, shape.cols, options_.topos)
                       : Hypergrad(own, rate, shape.rows, shape.cols, options_.topos)));
  }
  for (auto& [parameter, tape] : tapes) {
    parameter.move_to(device_);
    parameter.attach_tape(tape);
  }
  return module;
}

EpochStats SpiralSession::train_epoch(ModuleTrainer& trainer, const nn::ModulePtr& module,
                                      const nn::Loss& loss, const EpochSource& batches,
                                      const RoundtableSchedule* schedule) const {
  check_open("train_epoch");
  return trainer.train_epoch(module, loss, batches, schedule);
}

SpiralSessionBuilder SpiralSession::builder() const { return SpiralSessionBuilder(options_); }

SpiralSessionBuilder& SpiralSessionBuilder::device(std::string name) {
  options_.device = std::move(name);
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::curvature(double value) {
  options_.curvature = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::hyper_learning_rate(double value) {
  options_.hyper_learning_rate = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::entropy_weight(double value) {
  options_.entropy_weight = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::beta_j(double value) {
  options_.beta_j = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::fallback_learning_rate(double value) {
  options_.fallback_learning_rate = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::topos(double curvature, double tolerance,
                                                  double saturation, std::int64_t max_depth,
                                                  std::int64_t max_volume) {
  options_.topos = OpenTopos(curvature, tolerance, saturation, max_depth, max_volume);
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::topos_guard(const OpenTopos& topos) {
  options_.topos = topos;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::clear_topos() {
  options_.topos.reset();
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::coupling(const std::optional<Tensor>& coupling) {
  options_.coupling = coupling;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::seed(std::uint64_t value) {
  options_.seed = value;
  return *this;
}
SpiralSessionBuilder& SpiralSessionBuilder::strict(bool value) {
  options_.strict = value;
  return *this;
}

}  // namespace spiraltorch
