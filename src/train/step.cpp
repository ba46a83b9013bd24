#include "train/step.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/optim/clip.hpp"
#include "spiraltorch/tensor/recording.hpp"

namespace spiraltorch::train {
Tensor brought_to(const Tensor& x, DeviceId device) {
  return x.device() == device ? x.detach() : x.detach().to(device);
}

std::optional<DeviceId> device_of(const nn::Module& module) {
  const auto named = module.named_parameters();
  if (named.empty()) return {};
  return named.front().second.device();
}

Step::Step(nn::Module& module, const nn::Loss& loss, const RoundtableSchedule* schedule,
           const TrainerOptions& options, std::shared_ptr<const double> fallback_rate,
           DeviceId device)
    : module_(module),
      loss_(loss),
      schedule_(schedule),
      options_(options),
      fallback_rate_(std::move(fallback_rate)),
      device_(device),
      named_(module.named_parameters()) {
  std::vector<nn::Parameter> plain;
  for (const auto& [name, parameter] : named_) {
    if (!parameter.requires_grad()) continue;
    parameters_.push_back(parameter);
    (parameter.tape() != nullptr ? on_tape_ : plain).push_back(parameter);
  }
  if (options.optimizer != nullptr) {
    std::set<std::uintptr_t> known;
    for (const auto& parameter : parameters_) known.insert(parameter.identity());
    const auto own = options.optimizer->parameters();
    foreign_ = std::any_of(own.begin(), own.end(), [&](const nn::Parameter& parameter) {
      return !known.contains(parameter.identity());
    });
  } else if (!plain.empty()) {
    fallback_ = std::make_unique<optim::SGD>(std::move(plain), optim::SgdOptions{});
  }
}

void Step::clear() {
  for (nn::Parameter& parameter : parameters_) parameter.zero_grad();
  if (foreign_) options_.optimizer->zero_grad();
}

std::string Step::bad_gradient() const {
  for (const auto& [name, parameter] : named_) {
    const auto grad = parameter.grad();
    if (grad && ops::first_non_finite(*grad) >= 0) return text("the gradient of '", name, "'");
  }
  return "no parameter";
}

std::string Step::first_bad(const Tensor& output, const Tensor& gradient) {
  for (const auto& [name, parameter] : named_) {
    if (ops::first_non_finite(parameter) >= 0) return text("parameter '", name, "'");
  }
  if (!output.requires_grad()) return "no parameter";
  // Tapes refuse what is not finite: without them it can be seen.
  std::vector<std::shared_ptr<Hypergrad>> tapes;
  for (nn::Parameter& parameter : on_tape_) {
    tapes.push_back(parameter.tape());
    parameter.detach_tape();
  }
  clear();
  output.backward(gradient);
  std::string bad = bad_gradient();
  clear();
  for (std::size_t i = 0; i < on_tape_.size(); ++i) on_tape_[i].attach_tape(tapes[i]);
  return bad;
}

void Step::refuse(std::string_view what, double value, std::int64_t index,
                  const std::string& bad) const {
  fail(Errc::non_finite, "train_epoch",
       text("batch ", index, ", ", what, ": got ", value,
            ", expected a finite number; not finite: ", bad));
}

void Step::check(std::string_view what, double value, std::int64_t index, const Tensor& output,
                 const Tensor& gradient) {
  if (!std::isfinite(value)) refuse(what, value, index, first_bad(output, gradient));
}

void Step::backward(const Tensor& output, const Tensor& gradient, std::int64_t index) {
  if (!output.requires_grad()) return;
  try {
    output.backward(gradient);
  } catch (const Error& error) {
    if (error.code() != Errc::non_finite) throw;
    check("gradient", std::nan(""), index, output, gradient);  // a tape refused it
  }
}

double Step::clipped_norm(std::int64_t index, const nn::LossResult* unchecked) {
  double norm = 0.0;
  if (unchecked == nullptr) {
    norm = optim::gradient_norm(parameters_);
  } else {
    const std::array watched{unchecked->value, unchecked->gradient};
    const optim::WatchedNorm all = optim::gradient_norm(parameters_, watched);
    norm = all.norm;
    const std::string bad = std::isfinite(norm) ? std::string("no gradient") : bad_gradient();
    if (!std::isfinite(all.squares[0])) refuse("loss", unchecked->value.item(), index, bad);
    if (!std::isfinite(all.squares[1])) refuse("gradient of the loss", all.squares[1], index, bad);
  }
  if (!std::isfinite(norm)) refuse("gradient norm", norm, index, bad_gradient());
  if (options_.clip_norm && norm > *options_.clip_norm) {
    (void)optim::clip_grad_norm_(parameters_, *options_.clip_norm);
  }
  return norm;
}

void Step::update() {
  if (foreign_) return options_.optimizer->step();  // looks at gradients that the norm left out
  if (options_.optimizer != nullptr) return options_.optimizer->step_finite();
  for (nn::Parameter& parameter : on_tape_) parameter.tape()->apply(parameter);
  if (fallback_ == nullptr) return;
  fallback_->set_learning_rate(0, *fallback_rate_);
  fallback_->step_finite();
}

double Step::check_here(const Tensor& output, const nn::LossResult& at, std::int64_t index) {
  const double loss = at.value.item();
  check("loss", loss, index, output, at.gradient);
  const Tensor& gradient = at.gradient;
  if (const std::int64_t bad = ops::first_non_finite(gradient); bad >= 0) {
    check("gradient of the loss", gradient.at(bad / gradient.cols(), bad % gradient.cols()), index,
          output, gradient);
  }
  return loss;
}

StepResult Step::run(const Batch& batch, std::int64_t index) {
  const Recording recording;
  StepResult result;
  const Tensor output = module_.forward(brought_to(batch.input, device_));
  const nn::LossResult at =
      loss_.value_and_gradient(output.detach(), brought_to(batch.target, output.device()));
  // A device is asked once, after the backward pass; tapes look at gradients in it.
  const bool waits = output.device() == DeviceId{} || schedule_ != nullptr || !on_tape_.empty();
  if (waits) result.loss = check_here(output, at, index);
  Tensor gradient = at.gradient;
  if (schedule_ != nullptr) {
    const auto weighted = schedule_->weighted(gradient);
    gradient = weighted.gradient;
    result.energy = weighted.energy;
  }
  backward(output, gradient, index);
  result.norm = clipped_norm(index, waits ? nullptr : &at);
  if (!waits) result.loss = at.value.item();
  update();
  clear();
  return result;
}

}  // namespace spiraltorch::train
