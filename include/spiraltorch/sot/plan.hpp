#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "spiraltorch/zspace/tensor_biome.hpp"

namespace spiraltorch {

/// γ = π(3 − √5), the angle between two steps of a spiral, in radians.
[[nodiscard]] SPIRALTORCH_API double golden_angle() noexcept;
/// φ = (1 + √5)/2.
[[nodiscard]] SPIRALTORCH_API double golden_ratio() noexcept;
/// Lengths 1, 1, 2, 3, 5, … until they sum to n; the last is what remains. n ≥ 0.
[[nodiscard]] SPIRALTORCH_API std::vector<std::int64_t> fibonacci_pacing(std::int64_t n);
/// n as a sum of members of {1, 2, 4, 7, 13, …}: each time the one nearest to half of what remains,
/// the larger on ties. n ≥ 0.
[[nodiscard]] SPIRALTORCH_API std::vector<std::int64_t> pack_tribonacci_chunks(std::int64_t n);
/// The same with {1, 2, 4, 8, 15, 29, …}.
[[nodiscard]] SPIRALTORCH_API std::vector<std::int64_t> pack_tetranacci_chunks(std::int64_t n);

/// How the radius grows: r = a·e^{growth·i}, or equal areas r = a√(i+1) (Vogel 1979).
enum class SpiralSpacing : std::uint8_t { log, vogel };

/// "log" or "vogel"; `invalid_value` for anything else.
[[nodiscard]] SPIRALTORCH_API SpiralSpacing parse_spacing(std::string_view op,
                                                          std::string_view name);

struct SpiralOptions {
  double base_radius = 1.0;     ///< a > 0
  double radial_growth = 0.05;  ///< per step; unused by `vogel`
  double base_height = 1.0;     ///< of the first macro block; each next one rises by 1/φ of it
  double meso_gain = 0.2;       ///< ≥ 0, swing of the height inside a meso block
  double micro_gain = 0.05;     ///< ≥ 0
  SpiralSpacing spacing = SpiralSpacing::log;
};

/// Where a step stands in a block of one kind. Indices run through the plan.
struct SpiralBlock {
  std::int64_t index = 0;
  std::int64_t length = 0;
  std::int64_t position = 0;
  double phase = 0.0;       ///< position/(length − 1), 0 for length 1
  bool reflection = false;  ///< the block's last step
};

/// One step of a plan.
struct SoT3DStep {
  std::int64_t index = 0;
  double angle = 0.0;
  double radius = 0.0;
  double x = 0.0;
  double y = 0.0;
  double height = 0.0;
  double z_track = 0.0;
  double curvature = 0.0;  ///< of the planar spiral
  SpiralBlock macro;
  SpiralBlock meso;
  SpiralBlock micro;
  /// explore, structure, verify; diverge, ground, design, test.
  [[nodiscard]] SPIRALTORCH_API std::string_view meso_role() const noexcept;
  [[nodiscard]] SPIRALTORCH_API std::string_view micro_role() const noexcept;
};

struct MacroSummary {
  std::int64_t index = 0;
  std::int64_t start = 0;
  std::int64_t length = 0;
  std::int64_t ideal_length = 0;
  std::int64_t reflection_step = 0;  ///< start + length − 1
  double height_gain = 0.0;          ///< base_height/φ^index
  double mean_curvature = 0.0;
};

/// A spiral of golden-angle steps in nested blocks: macro blocks of Fibonacci lengths, packed by
/// tribonacci meso blocks, packed by tetranacci micro blocks. Everything in double.
///
/// Errors: `invalid_value` for 0 ≤ total_steps < 2³¹, base_radius > 0, gains ≥ 0 violated, numbers
/// that are not finite, and radii that (or whose reciprocals) are not normal float32 numbers; the
/// tensors of a plan without steps are `empty_input`.
class SPIRALTORCH_API SoT3DPlan {
 public:
  explicit SoT3DPlan(std::int64_t total_steps, SpiralOptions options = {});

  [[nodiscard]] std::int64_t total_steps() const noexcept { return steps_; }
  [[nodiscard]] const SpiralOptions& options() const noexcept { return options_; }
  /// Calls body(step) for each step in order.
  void for_each(const std::function<void(const SoT3DStep&)>& body) const;
  [[nodiscard]] std::vector<SoT3DStep> steps() const;
  [[nodiscard]] std::vector<MacroSummary> macro_summaries() const;
  /// (x, y, height) of each step.
  [[nodiscard]] std::vector<std::array<double, 3>> polyline() const;
  /// (step, "micro" | "meso" | "macro") of each block's last step.
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::string>> reflection_points() const;

  /// (n,3): x, y, height.
  [[nodiscard]] Tensor as_tensor() const;
  /// (n,9): radius, angle, height, curvature, the three phases, meso_gain, micro_gain.
  [[nodiscard]] Tensor feature_tensor() const;
  /// (n,3): macro, meso, micro reflections as 0 and 1.
  [[nodiscard]] Tensor reflection_tensor() const;
  /// (n,2): meso index mod 3, micro index mod 4.
  [[nodiscard]] Tensor role_tensor() const;
  /// (macros,6): index, length, ideal_length, height_gain, mean_curvature, reflection_step.
  [[nodiscard]] Tensor macro_summary_tensor() const;
  /// A biome of (n,3) shoots `<prefix>_positions` (weight 1), `_cylinder`, `_phase`, `_gain` (each
  /// a third of 1 + meso_gain + micro_gain) and `_reflections` (1); empty for a plan without steps.
  [[nodiscard]] TensorBiome grow_biome(const OpenTopos& topos,
                                       std::string_view label_prefix = "sot",
                                       bool include_reflections = true) const;
  /// "SoT3DPlan(steps=64, base_radius=1.000, growth=0.080)".
  [[nodiscard]] std::string repr() const;

 private:
  void check_not_empty(std::string_view op) const;
  std::int64_t steps_;
  SpiralOptions options_;
};

}  // namespace spiraltorch
