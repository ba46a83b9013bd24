#include <filesystem>
#include <stdexcept>

#include "check_error.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "support.hpp"
#include "temporary.hpp"

using namespace train_test;

namespace {

// Everything of one run: what a fresh process would build from the same program.
struct Run {
  explicit Run(const std::string& kind) : model(mixed_model()), loader(samples()) {
    TrainerOptions options{.device = "cpu"};
    if (kind == "tapes") SpiralSession({.device = "cpu"}).prepare_module(model);
    if (kind == "adam") {
      optim::AdamOptions adam{.lr = 0.02};
      adam.amsgrad = true;
      options.optimizer = std::make_shared<optim::RiemannianAdam>(model->parameters(), adam);
      options.clip_norm = 0.7;
    }
    if (kind != "plain") {
      options.scheduler = std::make_shared<optim::StepLR>(3, 0.5, optim::Interval::step);
    }
    trainer = std::make_unique<ModuleTrainer>(std::move(options));
  }
  nn::ModulePtr model;
  DataLoader loader;
  std::unique_ptr<ModuleTrainer> trainer;
};

// Writes a checkpoint after one batch of one epoch, and dies there.
struct Killer final : Callback {
  std::string path;
  std::int64_t epoch = 0;
  std::int64_t batch = 0;
  void on_batch_end(FitState& state) override {
    if (state.epoch != epoch || state.batch != batch) return;
    state.trainer.checkpoint(path);
    throw std::runtime_error("killed");
  }
};

FitOptions silent() {
  FitOptions options;
  options.progress = {};
  options.early_stopping = EarlyStopping{.patience = 10};
  return options;
}

}  // namespace

TEST_CASE("a checkpoint at any batch and a resume give the bits of an undisturbed fit") {
  const TemporaryFolder folder;
  for (const char* kind : {"plain", "tapes", "adam"}) {
    CAPTURE(kind);
    Run whole(kind);
    const History want = whole.trainer->fit(whole.model, nn::CrossEntropy(), whole.loader, 3,
                                            EpochSource(whole.loader), silent());
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      for (std::int64_t batch = 1; batch <= 4; ++batch) {
        CAPTURE(epoch);
        CAPTURE(batch);
        const std::string path = folder.file("run.safetensors");
        {
          Run first(kind);
          const auto killer = std::make_shared<Killer>();
          killer->path = path;
          killer->epoch = epoch;
          killer->batch = batch;
          FitOptions options = silent();
          options.callbacks = {killer};
          CHECK_THROWS_AS((void)first.trainer->fit(first.model, nn::CrossEntropy(), first.loader, 3,
                                                   EpochSource(first.loader), options),
                          std::runtime_error);
        }
        Run second(kind);
        (void)Tensor::rand(3, 3);  // the generator is elsewhere now
        second.trainer->resume(path, second.model);
        CHECK(second.trainer->step() == epoch * 4 + batch);
        const History got = second.trainer->fit(second.model, nn::CrossEntropy(), second.loader, 3,
                                                EpochSource(second.loader), silent());
        CHECK(bits(*second.model) == bits(*whole.model));
        REQUIRE(got.epochs.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(got.epochs[i].train.total_loss == want.epochs[i].train.total_loss);
          CHECK(got.epochs[i].validation->average_loss == want.epochs[i].validation->average_loss);
        }
        CHECK(second.trainer->epoch() == 3);
      }
    }
  }
}

TEST_CASE("a fit that is interrupted in its validation goes on there") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.safetensors");
  Run whole("adam");
  (void)whole.trainer->fit(whole.model, nn::CrossEntropy(), whole.loader, 3,
                           EpochSource(whole.loader), silent());
  Run first("adam");
  int passes = 0;
  const EpochSource broken([&] {
    if (++passes == 2) throw std::runtime_error("interrupted");
    return EpochSource(first.loader).for_evaluation();
  });
  CHECK_THROWS_AS(
      (void)first.trainer->fit(first.model, nn::CrossEntropy(), first.loader, 3, broken, silent()),
      std::runtime_error);
  first.trainer->checkpoint(path);
  Run second("adam");
  second.trainer->resume(path, second.model);
  const History got = second.trainer->fit(second.model, nn::CrossEntropy(), second.loader, 3,
                                          EpochSource(second.loader), silent());
  CHECK(got.epochs.size() == 3);
  CHECK(second.trainer->epoch() == 3);
  CHECK(second.trainer->step() == 12);
  CHECK(bits(*second.model) == bits(*whole.model));
}

TEST_CASE("single epochs resume too, and the loader goes on where it was") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.safetensors");
  Run whole("tapes");
  for (int i = 0; i < 3; ++i) {
    (void)whole.trainer->train_epoch(whole.model, nn::CrossEntropy(), whole.loader);
    if (i == 0) whole.trainer->checkpoint(path);
  }
  Run second("tapes");
  second.trainer->resume(path, second.model, second.loader);
  CHECK(second.loader.epoch() == 1);
  CHECK(second.trainer->epoch() == 1);
  for (int i = 0; i < 2; ++i) {
    (void)second.trainer->train_epoch(second.model, nn::CrossEntropy(), second.loader);
  }
  CHECK(bits(*second.model) == bits(*whole.model));
}

TEST_CASE("a checkpoint that does not fit changes nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.safetensors");
  Run first("adam");
  (void)first.trainer->train_epoch(first.model, nn::CrossEntropy(), first.loader);
  first.trainer->checkpoint(path);
  check_error(Errc::io, [&] { first.trainer->checkpoint(folder.file("none/run.safetensors")); });
  const auto refused = [&](const char* kind, Errc code, auto change) {
    Run other(kind);
    const auto model = change(other.model);
    const auto before = bits(*model);
    check_error(code, [&] { other.trainer->resume(path, model); });
    CHECK(bits(*model) == before);
    CHECK(other.trainer->step() == 0);
  };
  const auto same = [](const nn::ModulePtr& m) { return m; };
  refused("plain", Errc::invalid_value, same);  // no optimizer to take the state
  refused("tapes", Errc::invalid_value, same);  // tapes instead
  refused("adam", Errc::invalid_value,
          [](const nn::ModulePtr&) { return std::make_shared<nn::Linear>(2, 2); });
  check_error(Errc::invalid_value, [&] { ModuleTrainer({.device = "cpu"}).resume(path); });
  check_error(Errc::io, [&] { first.trainer->resume(folder.file("absent")); });
  const std::string text = folder.write("text", "no file of ours");
  check_error(Errc::io, [&] { first.trainer->resume(text); });
}
