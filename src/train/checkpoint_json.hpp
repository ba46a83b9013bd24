#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/optim/scheduler.hpp"
#include "train/trainer_state.hpp"

namespace spiraltorch::train {

/// What a checkpoint holds beside its tensors.
struct CheckpointFacts {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  PhiloxState generator{};
  Position position{};
  double fallback_rate = 0.0;
  std::map<std::string, double> tape_rates{};  ///< by parameter
  std::vector<double> group_rates{};
  std::optional<std::int64_t> optimizer_step{};
  std::optional<optim::SchedulerState> scheduler{};
  std::optional<FitProgress> fit{};  ///< without the parameters
};

[[nodiscard]] std::string to_json(const CheckpointFacts& facts);
/// `FormatError` naming the path where the text is not such a record.
[[nodiscard]] CheckpointFacts facts_of(const std::string& path, std::string_view json);

}  // namespace spiraltorch::train
