#include "spiraltorch/rank/tuning.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace spiraltorch {
namespace {

std::int64_t log2_floor(std::int64_t n) {
  return n < 1 ? 0 : std::bit_width(static_cast<std::uint64_t>(n)) - 1;
}

}  // namespace

TuningBucket bucket_of(const RankProblem& q) {
  return {q.kind, log2_floor(q.rows), log2_floor(q.cols), log2_floor(q.k)};
}

const TuningEntry* find_entry(const TuningTable& table, const TuningBucket& bucket) {
  const auto found = std::find_if(table.entries.begin(), table.entries.end(),
                                  [&](const TuningEntry& e) { return e.bucket == bucket; });
  return found == table.entries.end() ? nullptr : &*found;
}

bool beats_rule(double median, double mad, double rule_median, double rule_mad) {
  return median < 0.97 * rule_median && median + 3.0 * std::max(mad, rule_mad) < rule_median;
}

}  // namespace spiraltorch
