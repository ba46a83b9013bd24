#include "spiraltorch/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "train/step.hpp"
#include "train/trainer_state.hpp"

namespace spiraltorch {
namespace {

void check_rate(std::string_view name, double rate) {
  if (rate > 0 && std::isfinite(rate)) return;
  fail(Errc::invalid_value, "ModuleTrainer",
       text(name, ": got ", rate, ", expected a finite number > 0"));
}

TrainerOptions checked(TrainerOptions options) {
  check_curvature("ModuleTrainer", options.curvature);
  check_rate("hyper_learning_rate", options.hyper_learning_rate);
  check_rate("fallback_learning_rate", options.fallback_learning_rate);
  if (options.clip_norm) check_rate("clip_norm", *options.clip_norm);
  return options;
}

void check_module(std::string_view op, const nn::ModulePtr& module) {
  require(module != nullptr, Errc::invalid_value, op, "module: got none, expected one");
}

// Every module's mode, to be put back.
class Modes {
 public:
  explicit Modes(nn::Module& module) : all_{{&module, module.training()}} {
    for (const auto& below : module.descendants())
      all_.emplace_back(below.get(), below->training());
  }
  ~Modes() {
    for (const auto& [module, mode] : all_) module->train(mode);  // those below come later
  }
  Modes(const Modes&) = delete;
  Modes& operator=(const Modes&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> all_;
};

}  // namespace

ModuleTrainer::ModuleTrainer(TrainerOptions options) : state_(std::make_unique<State>()) {
  state_->options = checked(std::move(options));
  // What is asked for is looked up now; "auto" opens a driver only when it is needed.
  if (state_->options.device != "auto") (void)state_->device();
  *state_->fallback_rate = state_->options.fallback_learning_rate;
  if (state_->options.scheduler != nullptr && state_->options.optimizer != nullptr) {
    state_->options.scheduler->attach(state_->options.optimizer);
  }
}

ModuleTrainer::~ModuleTrainer() = default;

DeviceId ModuleTrainer::State::device() {
  if (!found_device) found_device = resolve_device("ModuleTrainer", options.device);
  return *found_device;
}

DeviceId ModuleTrainer::State::home_of(const nn::Module& target) {
  const auto own = train::device_of(target);
  return own ? *own : device();
}

std::string ModuleTrainer::device() const { return to_text(state_->device()); }
double ModuleTrainer::curvature() const noexcept { return state_->options.curvature; }
double ModuleTrainer::hyper_learning_rate() const noexcept {
  return state_->options.hyper_learning_rate;
}
double ModuleTrainer::fallback_learning_rate() const noexcept { return *state_->fallback_rate; }
const std::shared_ptr<optim::Optimizer>& ModuleTrainer::optimizer() const noexcept {
  return state_->options.optimizer;
}
const std::shared_ptr<optim::Scheduler>& ModuleTrainer::scheduler() const noexcept {
  return state_->options.scheduler;
}
std::optional<double> ModuleTrainer::clip_norm() const noexcept {
  return state_->options.clip_norm;
}
std::int64_t ModuleTrainer::epoch() const noexcept { return state_->epoch; }
std::int64_t ModuleTrainer::step() const noexcept { return state_->step; }
const std::optional<EpochStats>& ModuleTrainer::last_stats() const noexcept {
  return state_->last_stats;
}
void ModuleTrainer::set_interrupt_check(std::function<void()> check) {
  state_->interrupt_check = std::move(check);
}

std::string ModuleTrainer::repr() const {
  return text("ModuleTrainer(curvature=", curvature(), ", hyper_lr=", hyper_learning_rate(),
              ", fallback_lr=", fallback_learning_rate(), ")");
}

double ModuleTrainer::State::learning_rate() const {
  if (options.optimizer != nullptr) return options.optimizer->learning_rate(0);
  return first_tape != nullptr ? first_tape->learning_rate() : *fallback_rate;
}

void ModuleTrainer::State::attach_scheduler(const nn::Module& target) {
  if (options.scheduler == nullptr || options.optimizer != nullptr) return;
  std::vector<std::shared_ptr<Hypergrad>> tapes;
  for (const auto& parameter : target.parameters()) {
    if (parameter.tape() != nullptr) tapes.push_back(parameter.tape());
  }
  if (!scheduled.empty() && tapes == scheduled_tapes) return;
  // Rates that were scheduled before go back to their base, which is read anew.
  const std::vector<double> bases = options.scheduler->state().base_rates;
  for (std::size_t i = 0; i < scheduled.size() && i < bases.size(); ++i) scheduled[i].set(bases[i]);
  std::vector<optim::RateHandle> rates;
  for (const auto& tape : tapes) {
    rates.push_back({[tape] { return tape->learning_rate(); },
                     [tape](double rate) { tape->set_learning_rate(rate); }});
  }
  rates.push_back({[rate = fallback_rate] { return *rate; },
                   [rate = fallback_rate](double value) { *rate = value; }});
  options.scheduler->attach(rates);
  scheduled = std::move(rates);
  scheduled_tapes = std::move(tapes);
}

NextBatch ModuleTrainer::State::begin_epoch(const EpochSource& source) {
  const std::optional<train::Position> from = std::exchange(resumed, std::nullopt);
  loader = source.loader();
  if (from && loader) loader->set_epoch(from->loader_epoch);
  position = {};
  position.loader_epoch = loader ? loader->epoch() : (from ? from->loader_epoch : 0);
  NextBatch next = source.next_epoch();
  position.in_epoch = true;
  if (!from || !from->in_epoch) return next;
  for (std::int64_t i = 0; i < from->sums.batches; ++i) {
    if (next()) continue;
    fail(Errc::invalid_value, "train_epoch",
         text("batches: got ", i, ", expected the ", from->sums.batches,
              " that the interrupted epoch had done"));
  }
  position.sums = from->sums;
  return next;
}

bool ModuleTrainer::State::run_epoch(const nn::ModulePtr& trained, const nn::Loss& loss,
                                     const EpochSource& source, const RoundtableSchedule* schedule,
                                     const train::AfterBatch& after) {
  module = trained;
  module->train();
  first_tape.reset();
  for (const auto& parameter : module->parameters()) {
    if (first_tape == nullptr) first_tape = parameter.tape();
  }
  attach_scheduler(*module);
  train::Step work(*module, loss, schedule, options, fallback_rate, home_of(*module));
  work.clear();
  NextBatch next = begin_epoch(source);
  train::Sums& sums = position.sums;
  if (schedule != nullptr && !sums.energy) sums.energy = BandEnergy{};
  const double before = sums.seconds;
  const train::Stopwatch watch;
  bool whole = true;
  try {
    while (const auto batch = whole ? next() : std::nullopt) {
      const train::StepResult result = work.run(*batch, sums.batches);
      sums.add(result.loss, result.norm, batch->input.rows(), result.energy);
      sums.seconds = before + watch.seconds();
      ++step;
      whole = !after || after(result.loss);
      if (interrupt_check) interrupt_check();
    }
  } catch (...) {
    work.clear();
    last_stats = stats();
    throw;
  }
  sums.seconds = before + watch.seconds();
  last_stats = stats();
  return whole;
}

void ModuleTrainer::State::end_epoch() {
  position = {};
  if (loader) position.loader_epoch = loader->epoch();
  ++epoch;
}

EpochStats ModuleTrainer::train_epoch(const nn::ModulePtr& module, const nn::Loss& loss,
                                      const EpochSource& batches,
                                      const RoundtableSchedule* schedule) {
  check_module("train_epoch", module);
  state_->fit.reset();
  state_->fit_resumed = false;
  state_->run_epoch(module, loss, batches, schedule, {});
  state_->end_epoch();
  return *state_->last_stats;
}

EvalStats ModuleTrainer::evaluate(const nn::ModulePtr& module, const nn::Loss& loss,
                                  const EpochSource& batches) {
  check_module("evaluate", module);
  const NoGrad guard;
  const Modes modes(*module);
  module->eval();
  const DeviceId device = state_->home_of(*module);
  const train::Stopwatch watch;
  EvalStats stats;
  double total = 0.0;
  double weighted = 0.0;
  const NextBatch next = batches.for_evaluation();
  while (const auto batch = next()) {
    const Tensor output = module->forward(train::brought_to(batch->input, device));
    const double value =
        loss.forward(output, train::brought_to(batch->target, output.device())).item();
    const std::int64_t rows = batch->input.rows();
    ++stats.batches;
    stats.samples += rows;
    total += value;
    weighted += value * static_cast<double>(rows);
    if (state_->interrupt_check) state_->interrupt_check();
  }
  if (stats.batches > 0) {
    stats.average_loss = total / static_cast<double>(stats.batches);
    stats.mean_loss = weighted / static_cast<double>(stats.samples);
  }
  stats.seconds = watch.seconds();
  return stats;
}

}  // namespace spiraltorch
