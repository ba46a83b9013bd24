#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/optim/optimizer.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "spiraltorch/train/epoch_source.hpp"
#include "spiraltorch/train/fit.hpp"
#include "spiraltorch/train/stats.hpp"

namespace spiraltorch {

struct TrainerOptions {
  std::string device = "auto";  ///< of batches where the module has no parameter
  double curvature = -1.0;
  double hyper_learning_rate = 0.05;     ///< of tapes, for information
  double fallback_learning_rate = 0.01;  ///< of parameters without tape and optimizer
  std::shared_ptr<optim::Optimizer> optimizer{};
  std::shared_ptr<optim::Scheduler> scheduler{};
  std::optional<double> clip_norm{};
};

/// Trains modules. Each batch: prediction, loss and its gradient (weighted by a schedule's bands),
/// one backward pass, the gradient's norm over all parameters (clipped to clip_norm), then the
/// update: the optimizer's if there is one; else each parameter's tape applies, and parameters
/// without tape take an SGD step of the fallback rate on their manifold.
///
/// A loss, gradient or norm that is not finite is `non_finite` with the batch's number and the
/// first bad parameter; any exception leaves parameters, optimizer and rates as before its batch
/// and the gradients at zero. Batches are brought to the parameters' device.
///
/// @code
///   ModuleTrainer trainer({.optimizer = std::make_shared<optim::Adam>(model->parameters())});
///   History history = trainer.fit(model, CrossEntropy(), loader, 10);
/// @endcode
class SPIRALTORCH_API ModuleTrainer {
 public:
  explicit ModuleTrainer(TrainerOptions options = {});
  ~ModuleTrainer();
  ModuleTrainer(const ModuleTrainer&) = delete;
  ModuleTrainer& operator=(const ModuleTrainer&) = delete;

  [[nodiscard]] std::string device() const;
  [[nodiscard]] double curvature() const noexcept;
  [[nodiscard]] double hyper_learning_rate() const noexcept;
  [[nodiscard]] double fallback_learning_rate() const noexcept;
  [[nodiscard]] const std::shared_ptr<optim::Optimizer>& optimizer() const noexcept;
  [[nodiscard]] const std::shared_ptr<optim::Scheduler>& scheduler() const noexcept;
  [[nodiscard]] std::optional<double> clip_norm() const noexcept;
  /// Finished epochs, and batches, of this trainer's life.
  [[nodiscard]] std::int64_t epoch() const noexcept;
  [[nodiscard]] std::int64_t step() const noexcept;
  /// Of the running or last epoch; after an exception, of its finished batches.
  [[nodiscard]] const std::optional<EpochStats>& last_stats() const noexcept;
  [[nodiscard]] std::string repr() const;

  /// One pass in training mode.
  EpochStats train_epoch(const nn::ModulePtr& module, const nn::Loss& loss,
                         const EpochSource& batches, const RoundtableSchedule* schedule = nullptr);
  /// Several, with a validation after each; the scheduler steps here. `invalid_value` for negative
  /// epochs.
  History fit(const nn::ModulePtr& module, const nn::Loss& loss, const EpochSource& batches,
              std::int64_t epochs, const std::optional<EpochSource>& validation = {},
              const FitOptions& options = {});
  /// In evaluation mode, without a graph; then every module's former mode.
  EvalStats evaluate(const nn::ModulePtr& module, const nn::Loss& loss, const EpochSource& batches);

  /// Writes everything that training depends on, at any batch boundary: parameters, tapes,
  /// optimizer, rates, scheduler, generator, the loader's place, and a running fit's. What is
  /// omitted is what was used last. `io` where it cannot be written, the former file then
  /// untouched.
  void checkpoint(const std::string& path, const nn::ModulePtr& module = {},
                  const std::optional<DataLoader>& loader = {});
  /// Takes it back, after all checks; the next `train_epoch` or `fit` finishes the interrupted
  /// epoch to the same bits. A resumed fit counts the epochs that the interrupted one had done.
  void resume(const std::string& path, const nn::ModulePtr& module = {},
              const std::optional<DataLoader>& loader = {});

  /// Called after each batch's update; what it throws ends the training there.
  void set_interrupt_check(std::function<void()> check);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace spiraltorch
