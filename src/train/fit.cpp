#include "spiraltorch/train/fit.hpp"

#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/autograd.hpp"
#include "train/trainer_state.hpp"

namespace spiraltorch {
namespace {

using train::FitProgress;

void check_early(const EarlyStopping& e) {
  if (e.patience < 0) {
    fail(Errc::invalid_value, "EarlyStopping",
         text("patience: got ", e.patience, ", expected >= 0"));
  }
  if (!(e.min_delta >= 0)) {
    fail(Errc::invalid_value, "EarlyStopping",
         text("min_delta: got ", e.min_delta, ", expected >= 0"));
  }
}

// One call of ModuleTrainer::fit.
class Fit {
 public:
  Fit(ModuleTrainer& trainer, ModuleTrainer::State& state, nn::ModulePtr module,
      const nn::Loss& loss, const EpochSource& batches, std::int64_t epochs,
      const std::optional<EpochSource>& validation, const FitOptions& options)
      : trainer_(trainer),
        state_(state),
        loss_(loss),
        batches_(batches),
        epochs_(epochs),
        validation_(validation),
        options_(options),
        seen_{trainer, std::move(module)} {}

  History run() {
    call(&Callback::on_fit_start);
    while (!ended()) epoch();
    FitProgress& fit = *state_.fit;
    if (options_.early_stopping && options_.early_stopping->restore_best) restore();
    History out{fit.history, fit.best_epoch, fit.stopped.value_or(StopReason::completed)};
    call(&Callback::on_fit_end);
    return out;
  }

 private:
  [[nodiscard]] std::int64_t done() const { return std::ssize(state_.fit->history); }
  [[nodiscard]] bool ended() const { return done() >= epochs_ || state_.fit->stopped.has_value(); }

  void call(void (Callback::*hook)(FitState&)) {
    for (const auto& callback : options_.callbacks) (callback.get()->*hook)(seen_);
  }

  bool after_batch(double loss) {
    const auto& scheduler = state_.options.scheduler;
    if (scheduler != nullptr && scheduler->interval() == optim::Interval::step) {
      scheduler->step(scheduler->needs_metric() ? std::optional(loss) : std::nullopt);
    }
    seen_.stats = state_.stats();
    seen_.batch = seen_.stats.batches;
    show({});
    call(&Callback::on_batch_end);
    return !seen_.stop;
  }

  void epoch() {
    seen_.epoch = done();
    seen_.batch = 0;
    seen_.stats = {};
    call(&Callback::on_epoch_start);
    const bool whole = state_.run_epoch(seen_.module, loss_, batches_,
                                        options_.schedule ? &*options_.schedule : nullptr,
                                        [this](double loss) { return after_batch(loss); });
    if (!whole) {
      state_.fit->stopped = StopReason::callback;
      return;
    }
    HistoryEntry entry{*state_.last_stats};
    // Before the epoch's end: an interrupted validation is made anew after a resume.
    if (validation_) entry.validation = trainer_.evaluate(seen_.module, loss_, *validation_);
    state_.end_epoch();
    seen_.stats = entry.train;
    finish(entry);
    show(entry.validation, true);
    call(&Callback::on_epoch_end);
    if (seen_.stop && !state_.fit->stopped) state_.fit->stopped = StopReason::callback;
  }

  void finish(const HistoryEntry& entry) {
    FitProgress& fit = *state_.fit;
    const double metric =
        entry.validation ? entry.validation->average_loss : entry.train.average_loss;
    if (!fit.best_epoch || metric < fit.best) {
      fit.best_epoch = done();
      fit.best = metric;
    }
    fit.history.push_back(entry);
    if (options_.early_stopping) watch(metric, *options_.early_stopping);
    const auto& scheduler = state_.options.scheduler;
    if (scheduler != nullptr && scheduler->interval() == optim::Interval::epoch) {
      scheduler->step(scheduler->needs_metric() ? std::optional(metric) : std::nullopt);
    }
  }

  void watch(double metric, const EarlyStopping& early) {
    FitProgress& fit = *state_.fit;
    if (!fit.watched || metric < *fit.watched - early.min_delta) {
      fit.watched = metric;
      fit.bad = 0;
      if (early.restore_best) fit.best_values = seen_.module->state_dict();
    } else if (++fit.bad >= early.patience) {
      fit.stopped = StopReason::early;
    }
  }

  void restore() {
    const NoGrad guard;
    const auto named = seen_.module->named_parameters();
    const auto& values = state_.fit->best_values;
    for (std::size_t i = 0; i < values.size(); ++i) {
      nn::Parameter parameter = named.at(i).second;
      parameter.copy_(values[i].second);
    }
  }

  void show(const std::optional<EvalStats>& validation, bool epoch_ended = false) {
    if (options_.progress == nullptr) return;
    ProgressEvent event{
        epoch_ended, seen_.epoch, epochs_, seen_.stats.batches, batches_.num_batches(),
        seen_.stats, validation,  {}};
    ++shown_;
    if (event.batches && *event.batches > 0) {
      const auto each = static_cast<double>(*event.batches);
      const double left =
          static_cast<double>(epochs_ - seen_.epoch) * each - static_cast<double>(event.batch);
      event.seconds_left = watch_.seconds() / static_cast<double>(shown_) * left;
    }
    options_.progress(event);
  }

  ModuleTrainer& trainer_;
  ModuleTrainer::State& state_;
  const nn::Loss& loss_;
  const EpochSource& batches_;
  std::int64_t epochs_;
  const std::optional<EpochSource>& validation_;
  const FitOptions& options_;
  FitState seen_;
  std::int64_t shown_ = 0;
  train::Stopwatch watch_;
};

}  // namespace

Callback::~Callback() = default;
void Callback::on_fit_start(FitState& /*state*/) {}
void Callback::on_epoch_start(FitState& /*state*/) {}
void Callback::on_batch_end(FitState& /*state*/) {}
void Callback::on_epoch_end(FitState& /*state*/) {}
void Callback::on_fit_end(FitState& /*state*/) {}

std::string_view to_text(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::early:
      return "early";
    case StopReason::callback:
      return "callback";
    default:
      return "completed";
  }
}

std::string History::repr() const {
  return text("History(epochs=", epochs.size(),
              ", best_epoch=", best_epoch ? text(*best_epoch) : "None", ", stopped='",
              to_text(stopped), "')");
}

History ModuleTrainer::fit(const nn::ModulePtr& module, const nn::Loss& loss,
                           const EpochSource& batches, std::int64_t epochs,
                           const std::optional<EpochSource>& validation,
                           const FitOptions& options) {
  require(module != nullptr, Errc::invalid_value, "fit", "module: got none, expected one");
  if (epochs < 0) fail(Errc::invalid_value, "fit", text("epochs: got ", epochs, ", expected >= 0"));
  if (options.early_stopping) check_early(*options.early_stopping);
  for (const auto& callback : options.callbacks) {
    require(callback != nullptr, Errc::invalid_value, "fit", "callback: got none, expected one");
  }
  if (!std::exchange(state_->fit_resumed, false) || !state_->fit) state_->fit.emplace();
  state_->fit->stopped.reset();
  Fit run(*this, *state_, module, loss, batches, epochs, validation, options);
  History out = run.run();
  state_->fit.reset();
  return out;
}

}  // namespace spiraltorch
