#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/train/roundtable.hpp"
#include "spiraltorch/train/stats.hpp"

namespace spiraltorch {

class ModuleTrainer;

/// What callbacks see of a running `fit`.
struct FitState {
  ModuleTrainer& trainer;
  nn::ModulePtr module;
  std::int64_t epoch = 0;  ///< of this fit, from 0
  std::int64_t batch = 0;  ///< batches done in it
  EpochStats stats{};      ///< of the epoch so far
  bool stop = false;       ///< set it to end after the running batch or epoch
};

/// Hooks of a `fit`; each does nothing unless overridden. At `on_batch_end` and `on_epoch_end` a
/// checkpoint is valid.
class SPIRALTORCH_API Callback {
 public:
  Callback() = default;
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  virtual ~Callback();
  virtual void on_fit_start(FitState& state);
  virtual void on_epoch_start(FitState& state);
  virtual void on_batch_end(FitState& state);
  virtual void on_epoch_end(FitState& state);
  virtual void on_fit_end(FitState& state);
};

/// Ends a fit after `patience` epochs in a row without an average loss below best − min_delta, of
/// the validation if there is one, else of the training. With `restore_best` the parameters of the
/// best epoch stand at the end of the fit.
struct EarlyStopping {
  std::int64_t patience = 5;
  double min_delta = 0.0;
  bool restore_best = true;
};

/// Where a fit is, for whoever shows it.
struct ProgressEvent {
  bool epoch_ended = false;  ///< else a batch did
  std::int64_t epoch = 0;    ///< from 0
  std::int64_t epochs = 0;
  std::int64_t batch = 0;  ///< batches done in this epoch
  std::optional<std::int64_t> batches{};
  EpochStats stats{};
  std::optional<EvalStats> validation{};  ///< at the end of an epoch
  std::optional<double> seconds_left{};   ///< of the fit, estimated
};
using Progress = std::function<void(const ProgressEvent&)>;

/// Text lines: `live` rewrites one line at most ten times a second, else one line an epoch.
[[nodiscard]] SPIRALTORCH_API Progress text_progress(std::function<void(std::string_view)> write,
                                                     bool live);
/// On standard error; live on a terminal.
[[nodiscard]] SPIRALTORCH_API Progress standard_progress();

enum class StopReason : std::uint8_t { completed, early, callback };
/// "completed", "early", "callback".
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(StopReason reason) noexcept;

struct HistoryEntry {
  EpochStats train;
  std::optional<EvalStats> validation{};
};

/// One entry an epoch of the fit.
struct SPIRALTORCH_API History {
  std::vector<HistoryEntry> epochs{};
  /// Of the least average loss, the validation's if there is one; nothing without epochs.
  std::optional<std::int64_t> best_epoch{};
  StopReason stopped = StopReason::completed;

  [[nodiscard]] std::string repr() const;
};

struct FitOptions {
  std::optional<RoundtableSchedule> schedule{};
  Progress progress = standard_progress();  ///< empty: silent
  std::vector<std::shared_ptr<Callback>> callbacks{};
  std::optional<EarlyStopping> early_stopping{};
};

}  // namespace spiraltorch
