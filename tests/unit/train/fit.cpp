#include "spiraltorch/train/fit.hpp"

#include <cmath>

#include "check_error.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "support.hpp"

using namespace train_test;

namespace {

FitOptions silent() {
  FitOptions options;
  options.progress = {};
  return options;
}

// Counts hooks and stops where it is told.
struct Recorder final : Callback {
  std::string events;
  std::int64_t stop_epoch = -1;
  std::int64_t stop_batch = -1;

  void on_fit_start(FitState& /*state*/) override { events += '<'; }
  void on_epoch_start(FitState& /*state*/) override { events += '('; }
  void on_batch_end(FitState& state) override {
    events += '.';
    if (state.epoch == stop_epoch && state.batch == stop_batch) state.stop = true;
  }
  void on_epoch_end(FitState& state) override {
    events += ')';
    if (state.epoch == stop_epoch && stop_batch < 0) state.stop = true;
  }
  void on_fit_end(FitState& /*state*/) override { events += '>'; }
};

// Its loss is what a list says, batch after batch; the gradient moves the weights.
struct Scripted final : nn::Loss {
  mutable std::size_t next = 0;
  std::vector<double> values;
  explicit Scripted(std::vector<double> v) : values(std::move(v)) {}
  [[nodiscard]] Tensor forward(const Tensor& p, const Tensor& /*target*/) const override {
    return p.sub(p.detach()).sum() + values.at(next++);
  }
  [[nodiscard]] std::string repr() const override { return "Scripted()"; }
};

DataLoader one_batch() {
  return dataset::from_tensors(Tensor(1, 2, {1, 2}), Tensor(1, 2)).batched(1);
}

}  // namespace

TEST_CASE("a fit is its epochs") {
  const auto model = mixed_model();
  ModuleTrainer trainer({.device = "cpu"});
  const auto recorder = std::make_shared<Recorder>();
  FitOptions options = silent();
  options.callbacks = {recorder};
  const DataLoader loader = samples();
  const History history =
      trainer.fit(model, nn::CrossEntropy(), loader, 2, EpochSource(loader), options);
  CHECK(recorder->events == "<(....)(....)>");
  REQUIRE(history.epochs.size() == 2);
  CHECK(history.stopped == StopReason::completed);
  const auto twin = mixed_model();
  ModuleTrainer other({.device = "cpu"});
  const DataLoader same = samples();
  for (std::size_t i = 0; i < 2; ++i) {
    const EpochStats stats = other.train_epoch(twin, nn::CrossEntropy(), same);
    CHECK(stats.average_loss == history.epochs[i].train.average_loss);
    CHECK(other.evaluate(twin, nn::CrossEntropy(), same).average_loss ==
          history.epochs[i].validation->average_loss);
  }
  CHECK(bits(*twin) == bits(*model));
  CHECK(trainer.fit(model, nn::CrossEntropy(), loader, 0, {}, silent()).epochs.empty());
}

TEST_CASE("callbacks stop a fit after a batch or an epoch") {
  for (const bool in_batch : {true, false}) {
    const auto model = mixed_model();
    ModuleTrainer trainer({.device = "cpu"});
    const auto recorder = std::make_shared<Recorder>();
    recorder->stop_epoch = 1;
    if (in_batch) recorder->stop_batch = 2;
    FitOptions options = silent();
    options.callbacks = {recorder};
    const History history = trainer.fit(model, nn::CrossEntropy(), samples(), 5, {}, options);
    CHECK(history.stopped == StopReason::callback);
    CHECK(recorder->events == (in_batch ? "<(....)(..>" : "<(....)(....)>"));
    CHECK(history.epochs.size() == (in_batch ? 1 : 2));
  }
}

TEST_CASE("early stopping waits, and restores the best") {
  const auto layer = std::make_shared<nn::Linear>(2, 2);
  ModuleTrainer trainer({.device = "cpu"});
  FitOptions options = silent();
  options.early_stopping = EarlyStopping{.patience = 2, .min_delta = 0.1};
  std::vector<std::vector<std::vector<float>>> after;
  struct Keeper final : Callback {
    std::vector<std::vector<std::vector<float>>>* after;
    void on_epoch_end(FitState& state) override { after->push_back(bits(*state.module)); }
  };
  const auto keeper = std::make_shared<Keeper>();
  keeper->after = &after;
  options.callbacks = {keeper};
  // 0.95 and 0.93 are no improvement by 0.1 on 1.0; 0.5 is; then two that are not.
  const Scripted loss({1.0, 0.95, 0.5, 0.45, 0.6, 9, 9});
  const History history = trainer.fit(layer, loss, one_batch(), 7, {}, options);
  CHECK(history.stopped == StopReason::early);
  CHECK(history.epochs.size() == 5);
  CHECK(history.best_epoch == 3);  // the least loss, by whatever margin
  CHECK(bits(*layer) == after[2]);
  check_error(Errc::invalid_value, [&] {
    options.early_stopping->patience = -1;
    (void)trainer.fit(layer, loss, one_batch(), 1, {}, options);
  });
  check_error(Errc::invalid_value,
              [&] { (void)trainer.fit(layer, loss, one_batch(), -1, {}, silent()); });
}

TEST_CASE("the scheduler steps once an epoch, or a batch") {
  for (const bool each_batch : {false, true}) {
    CAPTURE(each_batch);
    const auto model = mixed_model();
    const auto scheduler = std::make_shared<optim::StepLR>(
        1, 0.5, each_batch ? optim::Interval::step : optim::Interval::epoch);
    ModuleTrainer trainer(
        {.device = "cpu", .fallback_learning_rate = 0.08, .scheduler = scheduler});
    const History history = trainer.fit(model, nn::CrossEntropy(), samples(), 2, {}, silent());
    CHECK(history.epochs[0].train.learning_rate == doctest::Approx(each_batch ? 0.08 / 16 : 0.08));
    CHECK(trainer.fallback_learning_rate() == doctest::Approx(each_batch ? 0.08 / 256 : 0.02));
  }
}

TEST_CASE("tapes follow the scheduler, from their own rates") {
  const auto model = mixed_model();
  SpiralSession({.device = "cpu", .hyper_learning_rate = 0.02}).prepare_module(model);
  const auto scheduler = std::make_shared<optim::StepLR>(1, 0.5);
  ModuleTrainer trainer({.device = "cpu", .scheduler = scheduler});
  (void)trainer.fit(model, nn::CrossEntropy(), samples(), 1, {}, silent());
  (void)trainer.fit(model, nn::CrossEntropy(), samples(), 1, {}, silent());
  for (const auto& parameter : model->parameters()) {
    CHECK(parameter.tape()->learning_rate() == doctest::Approx(0.005));
  }
}

TEST_CASE("progress: one line an epoch, or one live line") {
  const auto model = mixed_model();
  ModuleTrainer trainer({.device = "cpu"});
  for (const bool live : {false, true}) {
    std::string out;
    FitOptions options;
    options.progress = text_progress([&](std::string_view line) { out += line; }, live);
    (void)trainer.fit(model, nn::CrossEntropy(), samples(), 3, {}, options);
    CAPTURE(out);
    CHECK(out.find("epoch 3/3") != std::string::npos);
    CHECK(std::count(out.begin(), out.end(), '\n') == 3);
    CHECK((out.find('\r') != std::string::npos) == live);
  }
}
