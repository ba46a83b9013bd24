#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/train/trainer.hpp"

namespace spiraltorch {
namespace train {

/// Running sums of an epoch.
struct Sums {
  std::int64_t batches = 0;
  std::int64_t samples = 0;
  double loss = 0.0;           ///< Σℓ
  double weighted_loss = 0.0;  ///< Σℓ·rows
  double norm = 0.0;
  std::optional<BandEnergy> energy{};
  double seconds = 0.0;

  void add(double batch_loss, double batch_norm, std::int64_t rows,
           const std::optional<BandEnergy>& batch_energy);
  [[nodiscard]] EpochStats stats(double learning_rate) const;
};

/// Where training is in its data.
struct Position {
  bool in_epoch = false;
  std::uint64_t loader_epoch = 0;  ///< the running epoch's, else the next one's
  Sums sums{};                     ///< of the batches delivered
};

/// What a running fit remembers.
struct FitProgress {
  std::vector<HistoryEntry> history{};  ///< of the finished epochs
  std::optional<std::int64_t> best_epoch{};
  double best = 0.0;                ///< with best_epoch: its average loss
  std::optional<double> watched{};  ///< early stopping's best
  std::int64_t bad = 0;
  std::optional<StopReason> stopped{};
  nn::StateDict best_values{};  ///< parameters at `watched`
};

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// After each batch; returns whether to go on with the epoch.
using AfterBatch = std::function<bool(double loss)>;

}  // namespace train

struct ModuleTrainer::State {
  TrainerOptions options;
  /// Shared with a scheduler's handle.
  std::shared_ptr<double> fallback_rate = std::make_shared<double>(0.0);
  std::optional<DeviceId> found_device{};
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  std::optional<EpochStats> last_stats{};
  std::function<void()> interrupt_check{};

  nn::ModulePtr module{};  ///< used last
  std::shared_ptr<Hypergrad> first_tape{};
  std::optional<DataLoader> loader{};  ///< used last
  train::Position position{};
  std::optional<train::Position> resumed{};  ///< to go on from
  std::optional<train::FitProgress> fit{};
  bool fit_resumed = false;
  std::vector<std::shared_ptr<Hypergrad>> scheduled_tapes{};
  std::vector<optim::RateHandle> scheduled{};  ///< theirs, then the fallback rate

  /// The options' device, looked up once.
  [[nodiscard]] DeviceId device();
  /// Where a module's batches go.
  [[nodiscard]] DeviceId home_of(const nn::Module& target);
  /// Base rates are read when a module's tapes are seen first.
  void attach_scheduler(const nn::Module& module);
  /// Whether the epoch ran to its end.
  bool run_epoch(const nn::ModulePtr& module, const nn::Loss& loss, const EpochSource& source,
                 const RoundtableSchedule* schedule, const train::AfterBatch& after);
  void end_epoch();
  [[nodiscard]] double learning_rate() const;
  [[nodiscard]] EpochStats stats() const { return position.sums.stats(learning_rate()); }

 private:
  NextBatch begin_epoch(const EpochSource& source);
};

}  // namespace spiraltorch
