#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/train/roundtable.hpp"

namespace spiraltorch {

/// What one pass over the training batches gave. Losses are unweighted, norms before clipping.
struct SPIRALTORCH_API EpochStats {
  std::int64_t batches = 0;
  std::int64_t samples = 0;                 ///< input rows
  double total_loss = 0.0;                  ///< Σℓ
  double average_loss = 0.0;                ///< total / batches, 0 without batches
  double mean_loss = 0.0;                   ///< Σℓ·rows / Σrows
  double grad_norm = 0.0;                   ///< mean over the batches
  std::optional<BandEnergy> band_energy{};  ///< mean, with a schedule only
  double learning_rate = 0.0;  ///< last in force: first group, else first tape, else fallback
  double seconds = 0.0;
  double samples_per_second = 0.0;

  [[nodiscard]] std::string repr() const;
};

/// What one evaluation gave.
struct SPIRALTORCH_API EvalStats {
  std::int64_t batches = 0;
  std::int64_t samples = 0;
  double average_loss = 0.0;
  double mean_loss = 0.0;
  double seconds = 0.0;

  [[nodiscard]] std::string repr() const;
};

}  // namespace spiraltorch
