#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/optim/optimizer.hpp"

namespace spiraltorch::optim {

/// How often `fit` calls a scheduler's `step`.
enum class Interval : std::uint8_t { epoch, step };

/// A rate that a schedule sets: of a group, a tape, a trainer.
struct RateHandle {
  std::function<double()> get;
  std::function<void(double)> set;
};

/// What a checkpoint holds of a scheduler.
struct SchedulerState {
  std::int64_t t = 0;              ///< calls of `step`
  double factor = 1.0;             ///< in force
  std::optional<double> best;      ///< PlateauLR
  std::int64_t bad = 0;            ///< PlateauLR
  std::int64_t cooldown = 0;       ///< PlateauLR: steps left
  std::vector<double> base_rates;  ///< of what it is attached to
};

/// Sets rate = base·f(t); t counts from 0.
///
/// @code
///   auto optimizer = std::make_shared<SGD>(module.parameters());
///   CosineLR scheduler(10);
///   scheduler.attach(optimizer);
///   for (int epoch = 0; epoch < 10; ++epoch) { train(); scheduler.step(); }
/// @endcode
class SPIRALTORCH_API Scheduler {
 public:
  virtual ~Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// f(t).
  [[nodiscard]] double factor() const noexcept { return state_.factor; }
  /// Advances t and sets the rates. `metric` is what PlateauLR watches: `invalid_value` where it is
  /// missing there, `non_finite`; others do not read it.
  void step(std::optional<double> metric = {});
  [[nodiscard]] Interval interval() const noexcept { return interval_; }
  [[nodiscard]] const SchedulerState& state() const noexcept { return state_; }
  /// Checks, then writes, and sets the rates. `length_mismatch` where both it and the state are
  /// attached, to another number of rates.
  void load_state(const SchedulerState& state);
  /// Base rates are read now and rate = base·f(t) is set, here and at each step. Replaces what was
  /// attached before.
  void attach(const std::shared_ptr<Optimizer>& optimizer);
  void attach(std::vector<RateHandle> rates);
  [[nodiscard]] virtual bool needs_metric() const { return false; }
  [[nodiscard]] virtual std::string repr() const = 0;
  /// f(t) of a schedule that is a function of t alone; `unsupported` otherwise.
  [[nodiscard]] virtual double factor_at(std::int64_t t) const = 0;

 protected:
  explicit Scheduler(Interval interval) : interval_(interval) {}
  /// Sets the state that stands for t = 0.
  void start(double factor) { state_.factor = factor; }
  /// The state one step later.
  [[nodiscard]] virtual SchedulerState advanced(std::optional<double> metric) const;
  [[nodiscard]] std::string end_of_repr() const;

 private:
  void set_rates() const;
  Interval interval_;
  SchedulerState state_;
  std::vector<RateHandle> rates_;
};

/// f = 1.
class SPIRALTORCH_API ConstantLR final : public Scheduler {
 public:
  explicit ConstantLR(Interval interval = Interval::epoch);
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;
};

/// gamma^⌊t/step_size⌋; step_size >= 1, gamma > 0.
class SPIRALTORCH_API StepLR final : public Scheduler {
 public:
  explicit StepLR(std::int64_t step_size, double gamma = 0.1, Interval interval = Interval::epoch);
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  std::int64_t step_size_;
  double gamma_;
};

/// floor + (1 − floor)(1 + cos(πt/total))/2, floor from t = total on (Loshchilov & Hutter 2017);
/// total >= 1, floor in [0, 1].
class SPIRALTORCH_API CosineLR final : public Scheduler {
 public:
  explicit CosineLR(std::int64_t total, double floor = 0.0, Interval interval = Interval::epoch);
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  std::int64_t total_;
  double floor_;
};

/// start + (1 − start)(t + 1)/steps for t < steps; then f_then(t − steps), or 1. steps >= 1, start
/// in [0, 1]; `then` is a function of t alone (`unsupported` for PlateauLR), its own t is not read.
class SPIRALTORCH_API WarmupLR final : public Scheduler {
 public:
  explicit WarmupLR(std::int64_t steps, double start = 0.0,
                    std::shared_ptr<const Scheduler> then = nullptr,
                    Interval interval = Interval::epoch);
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  std::int64_t steps_;
  double start_;
  std::shared_ptr<const Scheduler> then_;
};

/// `factor` for t < steps, then 1 (Nickel & Kiela 2017); steps >= 1, factor > 0.
class SPIRALTORCH_API BurnInLR final : public Scheduler {
 public:
  explicit BurnInLR(std::int64_t steps, double factor = 0.1, Interval interval = Interval::epoch);
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;

 private:
  std::int64_t steps_;
  double factor_;
};

struct PlateauOptions {
  double factor = 0.1;         ///< in (0, 1)
  std::int64_t patience = 10;  ///< >= 0
  double threshold = 1e-4;     ///< >= 0
  std::int64_t cooldown = 0;   ///< >= 0
  double floor = 0.0;          ///< in [0, 1]
};

/// metric < best − threshold·|best| sets best and bad = 0, else bad += 1; while a cooldown counts
/// down, bad = 0; bad > patience: f ← max(f·factor, floor), bad = 0, the cooldown starts.
class SPIRALTORCH_API PlateauLR final : public Scheduler {
 public:
  explicit PlateauLR(const PlateauOptions& options = {}, Interval interval = Interval::epoch);
  [[nodiscard]] bool needs_metric() const override { return true; }
  [[nodiscard]] double factor_at(std::int64_t t) const override;
  [[nodiscard]] std::string repr() const override;

 protected:
  [[nodiscard]] SchedulerState advanced(std::optional<double> metric) const override;

 private:
  PlateauOptions options_;
};

}  // namespace spiraltorch::optim
