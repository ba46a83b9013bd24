#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/tensor/tensor.hpp"

namespace spiraltorch {

/// Σ|g| of a gradient's bands.
struct SPIRALTORCH_API BandEnergy {
  double above = 0.0;
  double here = 0.0;
  double beneath = 0.0;

  [[nodiscard]] double l1() const noexcept { return above + here + beneath; }
  /// The shares of l1; thirds if it is 0.
  [[nodiscard]] BandEnergy norm() const noexcept;
  [[nodiscard]] std::string repr() const;
  friend bool operator==(const BandEnergy&, const BandEnergy&) = default;
};

/// Of Above, Here and Beneath; finite, >= 0.
using BandWeights = std::array<double, 3>;
/// Weights chosen from each batch's energies.
using BandWeighting = std::function<BandWeights(const BandEnergy&)>;

struct RoundtableOptions {
  std::int64_t top_k = 8;
  std::int64_t mid_k = 8;
  std::int64_t bottom_k = 8;
  double here_tolerance = 1e-5;  ///< entries of at most this size are Here
  std::variant<BandWeights, BandWeighting> weights = BandWeights{1.0, 1.0, 1.0};
  std::string device = "auto";  ///< of the plans
};

/// Splits a loss' gradient into its largest entries (Above), its smallest (Beneath) and the rest
/// (Here), and weights them; the rank plans of the three selections on rows×cols come with it.
///
/// A split of n entries orders flat indices by (|g| descending, index ascending): the first
/// min(top_k, n) are Above, the last min(bottom_k, n − above) Beneath; then every
/// |g| <= here_tolerance is Here. rows, cols and mid_k size plans only. Above is also the top-k
/// sparsifier with error feedback of Stich, Cordonnier & Jaggi 2018.
///
/// Errors: `invalid_value` for negative counts, tolerance or weights; `non_finite` for gradients
/// and weights that are not finite.
///
/// @code
///   RoundtableSchedule schedule(1, 8, {.top_k = 2, .bottom_k = 2, .weights = BandWeights{1, 1,
///   0}}); auto [above, here, beneath] = schedule.split(gradient);
/// @endcode
class SPIRALTORCH_API RoundtableSchedule {
 public:
  RoundtableSchedule(std::int64_t rows, std::int64_t cols, RoundtableOptions options = {});

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
  [[nodiscard]] const RoundtableOptions& options() const noexcept { return options_; }
  /// TopK of top_k, MidK of mid_k, BottomK of bottom_k.
  [[nodiscard]] const std::array<SharedPlan, 3>& plans() const noexcept { return plans_; }
  /// The same schedule with other weights.
  [[nodiscard]] RoundtableSchedule with_weights(double above, double here, double beneath) const;
  [[nodiscard]] std::string repr() const;

  /// Above, Here, Beneath, each of g's shape; they add up to g exactly.
  [[nodiscard]] std::array<Tensor, 3> split(const Tensor& gradient) const;
  [[nodiscard]] BandEnergy band_energy(const Tensor& gradient) const;

  struct Weighted {
    Tensor gradient;
    BandEnergy energy;  ///< before weighting
  };
  /// Each entry times its band's weight; with weights 1 the gradient itself.
  [[nodiscard]] Weighted weighted(const Tensor& gradient) const;

 private:
  [[nodiscard]] BandMap map_of(const Tensor& gradient) const;
  std::int64_t rows_;
  std::int64_t cols_;
  RoundtableOptions options_;
  std::array<SharedPlan, 3> plans_;
};

}  // namespace spiraltorch
