#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/nn/loss.hpp"
#include "spiraltorch/nn/module.hpp"
#include "spiraltorch/optim/optimizer.hpp"
#include "spiraltorch/train/roundtable.hpp"
#include "spiraltorch/train/trainer.hpp"

namespace spiraltorch::train {

struct StepResult {
  double loss = 0.0;
  double norm = 0.0;  ///< before clipping
  std::optional<BandEnergy> energy{};
};

/// Untracked, on the device.
[[nodiscard]] Tensor brought_to(const Tensor& x, DeviceId device);
/// The device of a module's parameters, or nothing.
[[nodiscard]] std::optional<DeviceId> device_of(const nn::Module& module);

/// The work of one batch, for a module whose parts stay what they are meanwhile.
class Step {
 public:
  Step(nn::Module& module, const nn::Loss& loss, const RoundtableSchedule* schedule,
       const TrainerOptions& options, std::shared_ptr<const double> fallback_rate, DeviceId device);
  /// Gradients to zero.
  void clear();
  /// `index` names the batch in errors. When it throws, only gradients may have changed.
  [[nodiscard]] StepResult run(const Batch& batch, std::int64_t index);

 private:
  void check(std::string_view what, double value, std::int64_t index, const Tensor& output,
             const Tensor& gradient);
  [[noreturn]] void refuse(std::string_view what, double value, std::int64_t index,
                           const std::string& bad) const;
  [[nodiscard]] std::string bad_gradient() const;
  [[nodiscard]] std::string first_bad(const Tensor& output, const Tensor& gradient);
  void backward(const Tensor& output, const Tensor& gradient, std::int64_t index);
  /// The loss, when it and its gradient are finite.
  double check_here(const Tensor& output, const nn::LossResult& at, std::int64_t index);
  /// With a loss that was not checked, it is by the same read.
  double clipped_norm(std::int64_t index, const nn::LossResult* unchecked);
  void update();

  nn::Module& module_;
  const nn::Loss& loss_;
  const RoundtableSchedule* schedule_;
  const TrainerOptions& options_;
  std::shared_ptr<const double> fallback_rate_;
  DeviceId device_;
  nn::NamedParameters named_;
  std::vector<nn::Parameter> parameters_;
  std::vector<nn::Parameter> on_tape_;
  bool foreign_ = false;  ///< whether the optimizer has parameters beside the module's
  std::unique_ptr<optim::SGD> fallback_;  ///< of the parameters without tape
};

}  // namespace spiraltorch::train
