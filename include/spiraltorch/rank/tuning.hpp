#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/rank/plan.hpp"

namespace spiraltorch {

/// Problems of one size class: kind and ⌊log₂⌋ of rows, cols and k.
struct TuningBucket {
  RankKind kind = RankKind::topk;
  std::int64_t log2_rows = 0;
  std::int64_t log2_cols = 0;
  std::int64_t log2_k = 0;
  friend bool operator==(const TuningBucket&, const TuningBucket&) = default;
};

/// The algorithm that measured best in a bucket: median and median absolute deviation in seconds,
/// beside those of the rules' choice.
struct TuningEntry {
  TuningBucket bucket;
  RankAlgorithm algorithm = RankAlgorithm::none;
  double median = 0.0;
  double mad = 0.0;
  friend bool operator==(const TuningEntry&, const TuningEntry&) = default;
};

/// Measured choices of one device.
struct TuningTable {
  std::int64_t planner_version = kPlannerVersion;
  std::string fingerprint;
  std::vector<TuningEntry> entries{};
  friend bool operator==(const TuningTable&, const TuningTable&) = default;
};

/// Sizes are at least 1.
[[nodiscard]] SPIRALTORCH_API TuningBucket bucket_of(const RankProblem& problem);
/// The bucket's entry, or null.
[[nodiscard]] SPIRALTORCH_API const TuningEntry* find_entry(const TuningTable& table,
                                                            const TuningBucket& bucket);
/// Whether a measured time replaces the rules' choice: more than 3 % and three median absolute
/// deviations faster.
[[nodiscard]] SPIRALTORCH_API bool beats_rule(double median, double mad, double rule_median,
                                              double rule_mad);

[[nodiscard]] SPIRALTORCH_API std::string to_json(const TuningTable& table);
/// Throws `invalid_value` for text that is not a table.
[[nodiscard]] SPIRALTORCH_API TuningTable tuning_from_json(std::string_view text);

}  // namespace spiraltorch
