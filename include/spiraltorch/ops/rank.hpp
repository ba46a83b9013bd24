#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/rank/plan.hpp"
#include "spiraltorch/rank/tuning.hpp"
#include "spiraltorch/tensor/index_tensor.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// A plan that is simulated, made for other capabilities, or for a device where the tensor is not.
class SPIRALTORCH_API PlanDeviceMismatch : public Error {
 public:
  using Error::Error;
};

using SharedPlan = std::shared_ptr<const RankPlan>;

/// What a selection found in each row. Slots that no element fills (k larger than the number of
/// participants) hold NaN (bits 0x7FC00000) and index −1.
struct RankResult {
  Tensor values;                ///< (rows, k): the input's bits
  IndexTensor indices;          ///< (rows, k): columns; int32, int64 if cols ≥ 2³¹
  SharedPlan plan;              ///< what ran
  std::vector<Launch> trace{};  ///< each launch as it was issued; equals lower(*plan, sorted, nan)
};

struct RankOptions {
  std::optional<std::string> device{};  ///< moves the tensor there first; results stay there
  bool sorted = true;                   ///< false: ascending index
  NanPolicy nan = NanPolicy::last;
  SharedPlan plan{};  ///< by default the memo's plan for the problem
};

/// The k largest (smallest, central) elements of each row, equal values lowest index first:
/// byte-identical for every device, algorithm and number of threads. 0 ≤ k ≤ cols, else
/// `invalid_value`; a NaN under NanPolicy::raise is `non_finite` with its position;
/// PlanDeviceMismatch for a plan of another device. MidK: the ascending ranks ⌊(m−k)/2⌋ and on, of
/// m participants; k = 1 is the (lower) median. −0 equals +0. The gradient of `values` goes to the
/// columns they came from.
[[nodiscard]] SPIRALTORCH_API RankResult topk(const Tensor& x, std::int64_t k,
                                              const RankOptions& options = {});
[[nodiscard]] SPIRALTORCH_API RankResult midk(const Tensor& x, std::int64_t k,
                                              const RankOptions& options = {});
[[nodiscard]] SPIRALTORCH_API RankResult bottomk(const Tensor& x, std::int64_t k,
                                                 const RankOptions& options = {});
/// Executes a plan: kind and k are the plan's, the tensor's shape must be.
[[nodiscard]] SPIRALTORCH_API RankResult rank(const SharedPlan& plan, const Tensor& x,
                                              bool sorted = true, NanPolicy nan = NanPolicy::last);

struct CompactResult {
  Tensor values;        ///< (1, total): kept elements of row 0, then row 1, …
  IndexTensor indices;  ///< (1, total): their columns
  IndexTensor counts;   ///< (rows, 1)
};
/// Elements with low ≤ x ≤ high in ascending column order. Bounds are rounded to float32; a NaN
/// bound is `invalid_value`; low > high keeps nothing. NaN elements are never kept.
[[nodiscard]] SPIRALTORCH_API CompactResult compact_range(const Tensor& x, double low, double high);

enum class Band : std::uint8_t { above, here, beneath };
struct BandSplit {
  std::vector<Band> bands;       ///< one an element, row-major
  std::array<double, 3> sums{};  ///< Σ|g| of each band
};
/// Splits a gradient by size, flattened, in TopK order of |g|: the first min(above, n) are Above,
/// the last of the rest Beneath, the others Here; then every |g| ≤ max(tolerance, 0) becomes Here.
/// `non_finite` where an element is not finite, `invalid_value` for negative counts.
[[nodiscard]] SPIRALTORCH_API BandSplit band_split(const Tensor& gradient, std::int64_t above,
                                                   std::int64_t beneath, double tolerance);

/// The same split kept where the gradient lives, for `band_scale`.
struct BandMap {
  IndexTensor bands;  ///< (1, size): 0 above, 1 here, 2 beneath
  std::array<double, 3> sums{};
};
[[nodiscard]] SPIRALTORCH_API BandMap band_map(const Tensor& gradient, std::int64_t above,
                                               std::int64_t beneath, double tolerance);
/// The gradient with each element times the weight of its band (above, here, beneath); a weight 0
/// leaves +0.
[[nodiscard]] SPIRALTORCH_API Tensor band_scale(const Tensor& gradient, const BandMap& map,
                                                const std::array<double, 3>& weights);

/// Plans for a device named as `parse_device` reads it; an absent one is planned from its template.
/// The plan comes from a memo of the last 1024 problems.
[[nodiscard]] SPIRALTORCH_API SharedPlan plan_for(const RankProblem& problem,
                                                  std::string_view device = "auto");

/// `replace` with the capabilities that the plan's device has now.
[[nodiscard]] SPIRALTORCH_API RankPlan replace(const RankPlan& plan,
                                               const PlanOverrides& overrides);

/// Loads the tuning table of a device from the cache directory, or returns null. A file that is
/// corrupt, foreign or of another planner version is ignored with one warning.
[[nodiscard]] SPIRALTORCH_API std::shared_ptr<const TuningTable> tuning_table(
    const DeviceCaps& caps);
/// Where the device's table is stored; empty where SPIRALTORCH_CACHE_DIR is set to nothing.
[[nodiscard]] SPIRALTORCH_API std::string tuning_path(const DeviceCaps& caps);
/// Forgets plans, tables and devices, so that the next plan asks again.
SPIRALTORCH_API void forget_plans();

struct TuneOptions {
  std::string device = "auto";
  double budget_seconds = 60.0;
  bool reset = false;  ///< drop what was stored instead of adding to it
};
struct TuneReport {
  std::string path;
  TuningTable table;
  std::int64_t problems = 0;  ///< measured; fewer than the grid if the budget ran out
};
/// Times the feasible algorithms of a device on a grid of seeded problems and stores where one
/// beats the rules by more than 3 % and three median absolute deviations. `device` where the
/// device cannot compute, `io` where the table cannot be written.
SPIRALTORCH_API TuneReport tune(const TuneOptions& options = {});

}  // namespace spiraltorch
