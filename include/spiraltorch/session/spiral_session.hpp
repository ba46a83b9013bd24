#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device_caps.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/train/trainer.hpp"
#include "spiraltorch/zspace/differential_trace.hpp"
#include "spiraltorch/zspace/hypergrad.hpp"

namespace spiraltorch {

/// What a session is made of.
struct SessionOptions {
  std::string device = "auto";  ///< as `parse_device` reads it
  double curvature = -1.0;
  double hyper_learning_rate = 0.05;
  double fallback_learning_rate = 0.01;  ///< of parameters without a tape
  double entropy_weight = 0.1;
  double beta_j = 0.0;
  std::optional<OpenTopos> topos{};     ///< guard of tapes and traces; none by default
  std::optional<Tensor> coupling{};     ///< J of barycenters
  std::optional<std::uint64_t> seed{};  ///< resets the process-wide random numbers
  bool strict = false;                  ///< an absent device is an error instead of the CPU
};

/// Options of a trace's spiral plan.
struct TracePlanOptions {
  std::optional<std::int64_t> steps{};  ///< default: the seed's rows·cols; 0: no plan
  double base_radius = 1.0;
  double radial_growth = 0.05;
  double base_height = 1.0;
  double meso_gain = 0.2;
  double micro_gain = 0.05;
  std::string spacing = "log";
};

class SpiralSessionBuilder;

/// Device, curvature and rates wired once; makes barycenters, tapes and traces.
///
/// An absent device becomes the CPU with one warning naming it and the reason; with `strict` it
/// throws `device`. Other errors: `invalid_value`, `curvature`, `non_finite`, `curvature_mismatch`.
///
/// @code
///   SpiralSession session({.device = "cpu", .curvature = -1.0});
///   auto bary = session.barycenter(densities);
///   auto tape = session.hypergrad(1, 2);
///   session.align_hypergrad(tape, bary);
/// @endcode
class SPIRALTORCH_API SpiralSession {
 public:
  explicit SpiralSession(SessionOptions options = {});

  /// The device that computes, and the one that was asked for.
  [[nodiscard]] std::string device() const { return to_text(device_); }
  [[nodiscard]] DeviceId device_id() const noexcept { return device_; }
  /// What `device()` says of itself.
  [[nodiscard]] DeviceCaps device_caps() const;
  /// The memo's plan for the device that computes.
  [[nodiscard]] SharedPlan plan(RankKind kind, std::int64_t rows, std::int64_t cols,
                                std::int64_t k) const;
  [[nodiscard]] const std::string& requested_device() const noexcept { return options_.device; }
  [[nodiscard]] double curvature() const noexcept { return options_.curvature; }
  [[nodiscard]] double hyper_learning_rate() const noexcept { return options_.hyper_learning_rate; }
  [[nodiscard]] double fallback_learning_rate() const noexcept {
    return options_.fallback_learning_rate;
  }
  [[nodiscard]] double entropy_weight() const noexcept { return options_.entropy_weight; }
  [[nodiscard]] std::optional<Tensor> coupling() const;
  [[nodiscard]] double beta_j() const noexcept { return options_.beta_j; }
  /// The configured guard, else one of the session's curvature with default limits, which tapes and
  /// traces do not use.
  [[nodiscard]] OpenTopos topos() const;
  [[nodiscard]] std::string repr() const;

  /// Absent arguments mean the session's values; weights default to 1.
  [[nodiscard]] ZSpaceBarycenter barycenter(std::span<const Tensor> densities,
                                            const std::optional<std::vector<double>>& weights = {},
                                            std::optional<double> entropy_weight = {},
                                            std::optional<double> beta_j = {},
                                            const std::optional<Tensor>& coupling = {}) const;
  /// A tape of the session's curvature, rate and configured guard.
  [[nodiscard]] Hypergrad hypergrad(std::int64_t rows, std::int64_t cols) const;
  /// `tape.accumulate_barycenter_path(barycenter.intermediates)`.
  void align_hypergrad(Hypergrad& tape, const ZSpaceBarycenter& barycenter) const;
  /// A configured guard checks the seed. With plan options a spiral plan is attached, unless its
  /// steps are 0.
  [[nodiscard]] SpiralDifferentialTrace trace(
      const Tensor& seed, const std::optional<TracePlanOptions>& plan = {}) const;
  /// A trainer with the session's device, curvature and rates.
  [[nodiscard]] std::unique_ptr<ModuleTrainer> trainer(
      std::shared_ptr<optim::Optimizer> optimizer = {},
      std::shared_ptr<optim::Scheduler> scheduler = {}, std::optional<double> clip_norm = {}) const;
  /// A schedule whose plans are for the session's device; `options.device` is replaced.
  [[nodiscard]] RoundtableSchedule roundtable(std::int64_t rows, std::int64_t cols,
                                              RoundtableOptions options = {}) const;
  /// Moves the parameters to the session's device and gives each a fresh tape on its own manifold,
  /// with the session's rate and configured guard; returns the module. `curvature_mismatch` for a
  /// ball of another curvature, `volume_exceeded` for a parameter beyond the guard, `graph` where a
  /// live graph keeps one: nothing has changed then.
  nn::ModulePtr prepare_module(const nn::ModulePtr& module) const;
  /// The trainer's.
  EpochStats train_epoch(ModuleTrainer& trainer, const nn::ModulePtr& module, const nn::Loss& loss,
                         const EpochSource& batches,
                         const RoundtableSchedule* schedule = nullptr) const;
  /// A builder that starts from this session's options.
  [[nodiscard]] SpiralSessionBuilder builder() const;
  /// A text encoder of the session's curvature.
  [[nodiscard]] LanguageWaveEncoder encoder(double temperature = 0.5) const;
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
  /// Ends the session: what it made lives on, its methods throw `invalid_value` from now on.
  void close() noexcept { closed_ = true; }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// Throws `invalid_value` naming `op` once the session is closed.
  void check_open(std::string_view op) const;

 private:
  SessionOptions options_;
  bool closed_ = false;
  DeviceId device_;
};

/// The same options one by one; every setter returns the builder.
class SPIRALTORCH_API SpiralSessionBuilder {
 public:
  SpiralSessionBuilder() = default;
  explicit SpiralSessionBuilder(std::string device) { options_.device = std::move(device); }
  /// Starts from a session's options.
  explicit SpiralSessionBuilder(SessionOptions options) : options_(std::move(options)) {}
  SpiralSessionBuilder& device(std::string name);
  SpiralSessionBuilder& curvature(double value);
  SpiralSessionBuilder& hyper_learning_rate(double value);
  SpiralSessionBuilder& entropy_weight(double value);
  SpiralSessionBuilder& beta_j(double value);
  SpiralSessionBuilder& fallback_learning_rate(double value);
  SpiralSessionBuilder& topos(double curvature, double tolerance, double saturation,
                              std::int64_t max_depth, std::int64_t max_volume);
  SpiralSessionBuilder& topos_guard(const OpenTopos& topos);
  SpiralSessionBuilder& clear_topos();
  SpiralSessionBuilder& coupling(const std::optional<Tensor>& coupling = {});
  SpiralSessionBuilder& seed(std::uint64_t value);
  SpiralSessionBuilder& strict(bool value);
  /// Checks everything and makes the session; the builder can go on.
  [[nodiscard]] SpiralSession build() const { return SpiralSession(options_); }

 private:
  SessionOptions options_;
};

}  // namespace spiraltorch
