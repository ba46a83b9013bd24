#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device_caps.hpp"

namespace spiraltorch {

/// What is selected of each row: the largest, the central or the smallest elements.
enum class RankKind : std::uint8_t { topk, midk, bottomk };
/// NaN: never selected, larger than everything, or an error.
enum class NanPolicy : std::uint8_t { last, largest, raise };
/// How a back end selects. The CPU's: `argreduce` (a running best), `reservoir` (a filter by the
/// k-th best so far), `quickselect` (a vectorised partition of one row's keys), `radix` (a bracket
/// from a sample, then a walk by digits); the rest belongs to the accelerators.
enum class RankAlgorithm : std::uint8_t {
  none,
  argreduce,
  reservoir,
  quickselect,
  radix,
  warp_queue,
  block_queue,
  block_radix,
  grid_radix,
  tile_sort,
  dispatch_radix,
};
enum class SortStage : std::uint8_t { none, local, global, vector };
enum class PlanProvenance : std::uint8_t { rule, tuned, overridden };

/// The enumerators' public spellings ("topk", "last", "reservoir", "vector", "rule").
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(RankKind kind) noexcept;
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(NanPolicy policy) noexcept;
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(RankAlgorithm algorithm) noexcept;
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(SortStage stage) noexcept;
[[nodiscard]] SPIRALTORCH_API std::string_view to_text(PlanProvenance provenance) noexcept;
/// "topk", "top_k" or "top" and so on, any ASCII case; anything else is `invalid_value`.
[[nodiscard]] SPIRALTORCH_API RankKind parse_rank_kind(std::string_view op, std::string_view name);
[[nodiscard]] SPIRALTORCH_API NanPolicy parse_nan_policy(std::string_view op,
                                                         std::string_view name);
[[nodiscard]] SPIRALTORCH_API RankAlgorithm parse_rank_algorithm(std::string_view op,
                                                                 std::string_view name);

/// A selection to be planned: k of each of `rows` rows of `cols` numbers. Each in [0, 2³²−1].
struct RankProblem {
  RankKind kind = RankKind::topk;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t k = 0;
  friend bool operator==(const RankProblem&, const RankProblem&) = default;
};

/// What is launched (spec 3, 3.2). All zero where nothing is.
struct RankChoice {
  bool use_2ce = false;              ///< more than one launch
  std::int64_t workgroup = 0;        ///< threads of the launch that reads the input
  std::int64_t kl = 0;               ///< items held per lane; CPU: vectors in flight
  std::int64_t channel_stride = 0;   ///< columns of one piece of a split row; 0: not split
  std::int64_t merge_kind = 0;       ///< 0 sort or none, 1 workgroup or core, 2 warp, 3 radix
  std::int64_t merge_detail = 0;     ///< 0 none, 1 one queue, 2 lists, 3 tile, 4 warp, 6, 7 radix
  std::int64_t tile = 0;             ///< columns read per sweep; CPU: between reservoir checks
  std::int64_t compaction_tile = 0;  ///< columns per tile of the ordered compaction; 0: none
  friend bool operator==(const RankChoice&, const RankChoice&) = default;
};

/// One launch. On the CPU grid[0] is the number of tasks and `block` the number of threads.
struct Launch {
  std::string kernel;
  std::array<std::int64_t, 3> grid{1, 1, 1};
  std::int64_t block = 0;
  std::int64_t shared_bytes = 0;
  friend bool operator==(const Launch&, const Launch&) = default;
};

/// An algorithm that stands earlier in the table and cannot serve, and why.
struct Rejection {
  RankAlgorithm algorithm;
  std::string reason;
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

/// Everything an executor needs to know; see RankPlan.
struct RankPlanFields {
  RankProblem problem;
  RankChoice choice;
  std::int64_t k_effective = 0;  ///< min(k, cols)
  DeviceId device{};
  std::string requested_device;
  bool simulated = false;  ///< made from a template: to read, never to execute
  RankAlgorithm algorithm = RankAlgorithm::none;
  SortStage sort_stage = SortStage::none;
  bool subgroup = false;
  std::array<std::int64_t, 3> grid{0, 0, 0};  ///< of the launch that reads the input
  std::int64_t block = 0;
  std::int64_t shared_bytes = 0;
  std::int64_t passes = 0;           ///< how often the input is read (most; data may need less)
  std::int64_t workspace_bytes = 0;  ///< all scratch, allocated before the first launch
  PlanProvenance provenance = PlanProvenance::rule;
  std::vector<Rejection> rejected{};
  std::string fingerprint;  ///< of the capabilities it was made for
  std::int64_t planner_version = 0;
  friend bool operator==(const RankPlanFields&, const RankPlanFields&) = default;
};

/// Raised with every change of rules or lowering.
inline constexpr std::int64_t kPlannerVersion = 2;

/// Fields to change in a plan; the rest follows from them.
struct PlanOverrides {
  std::optional<RankAlgorithm> algorithm{};
  std::optional<std::int64_t> workgroup{};
  std::optional<std::int64_t> channel_stride{};
};

/// An immutable, complete and validated plan: executors accept nothing else, launch exactly
/// `lower()` and hold no heuristics of their own.
///
/// @code
///   RankPlan p = plan({RankKind::topk, 8, 65536, 1024}, caps);
///   std::cout << explain(p);
/// @endcode
class SPIRALTORCH_API RankPlan {
 public:
  /// Checks that the fields agree with each other; `invalid_value` names the first that does not.
  explicit RankPlan(RankPlanFields fields);
  [[nodiscard]] const RankPlanFields& operator*() const noexcept { return fields_; }
  [[nodiscard]] const RankPlanFields* operator->() const noexcept { return &fields_; }
  friend bool operator==(const RankPlan&, const RankPlan&) = default;

 private:
  RankPlanFields fields_;
};

struct TuningTable;

/// Plans `problem` for a device: the tuned entry of its bucket where `tuning` has one, else the
/// first feasible row of the rules. Pure: measures and touches nothing. `requested` is echoed.
/// `invalid_value` for sizes outside [0, 2³²−1]; `device` where no algorithm is feasible.
[[nodiscard]] SPIRALTORCH_API RankPlan plan(const RankProblem& problem, const DeviceCaps& caps,
                                            std::string_view requested = {},
                                            const TuningTable* tuning = nullptr);
/// The plan with other choices, provenance `overridden`; `invalid_value` where infeasible.
[[nodiscard]] SPIRALTORCH_API RankPlan replace(const RankPlan& plan, const DeviceCaps& caps,
                                               const PlanOverrides& overrides);
/// Algorithms of the device's back end that can serve the problem, in the table's order.
[[nodiscard]] SPIRALTORCH_API std::vector<RankAlgorithm> feasible_algorithms(
    const RankProblem& problem, const DeviceCaps& caps);
/// The launches of one execution, in order. Pure.
[[nodiscard]] SPIRALTORCH_API std::vector<Launch> lower(const RankPlan& plan, bool sorted = true,
                                                        NanPolicy nan = NanPolicy::last);
/// The choice and why, what was ruled out by which numbers, and the launches.
[[nodiscard]] SPIRALTORCH_API std::string explain(const RankPlan& plan);
/// All fields as JSON, and back; text that is not a consistent plan is `invalid_value`.
[[nodiscard]] SPIRALTORCH_API std::string to_json(const RankPlan& plan);
[[nodiscard]] SPIRALTORCH_API RankPlan plan_from_json(std::string_view text);

}  // namespace spiraltorch
