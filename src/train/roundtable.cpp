#include "spiraltorch/train/roundtable.hpp"

#include <cmath>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

void check_weights(const BandWeights& weights) {
  for (const double w : weights) {
    if (w >= 0 && std::isfinite(w)) continue;
    fail(std::isfinite(w) ? Errc::invalid_value : Errc::non_finite, "RoundtableSchedule",
         text("weights: got ", w, ", expected finite numbers >= 0"));
  }
}

RoundtableOptions checked(RoundtableOptions options) {
  const auto count = [](std::string_view what, std::int64_t k) {
    if (k >= 0) return;
    fail(Errc::invalid_value, "RoundtableSchedule", text(what, ": got ", k, ", expected >= 0"));
  };
  count("top_k", options.top_k);
  count("mid_k", options.mid_k);
  count("bottom_k", options.bottom_k);
  if (!(options.here_tolerance >= 0) || !std::isfinite(options.here_tolerance)) {
    fail(Errc::invalid_value, "RoundtableSchedule",
         text("here_tolerance: got ", options.here_tolerance, ", expected a finite number >= 0"));
  }
  if (const auto* weights = std::get_if<BandWeights>(&options.weights)) check_weights(*weights);
  return options;
}

BandEnergy energy_of(const std::array<double, 3>& sums) { return {sums[0], sums[1], sums[2]}; }

}  // namespace

BandEnergy BandEnergy::norm() const noexcept {
  const double total = l1();
  if (total == 0.0) return {1.0 / 3, 1.0 / 3, 1.0 / 3};
  return {above / total, here / total, beneath / total};
}

std::string BandEnergy::repr() const {
  return text("BandEnergy(above=", above, ", here=", here, ", beneath=", beneath, ")");
}

RoundtableSchedule::RoundtableSchedule(std::int64_t rows, std::int64_t cols,
                                       RoundtableOptions options)
    : rows_(rows),
      cols_(cols),
      options_(checked(std::move(options))),
      plans_{plan_for({RankKind::topk, rows, cols, options_.top_k}, options_.device),
             plan_for({RankKind::midk, rows, cols, options_.mid_k}, options_.device),
             plan_for({RankKind::bottomk, rows, cols, options_.bottom_k}, options_.device)} {}

RoundtableSchedule RoundtableSchedule::with_weights(double above, double here,
                                                    double beneath) const {
  const BandWeights weights{above, here, beneath};
  check_weights(weights);
  RoundtableSchedule out = *this;
  out.options_.weights = weights;
  return out;
}

std::string RoundtableSchedule::repr() const {
  return text("RoundtableSchedule(top=", options_.top_k, ", mid=", options_.mid_k,
              ", bottom=", options_.bottom_k, ")");
}

BandMap RoundtableSchedule::map_of(const Tensor& gradient) const {
  return band_map(gradient, options_.top_k, options_.bottom_k, options_.here_tolerance);
}

std::array<Tensor, 3> RoundtableSchedule::split(const Tensor& gradient) const {
  const Tensor g = gradient.detach();
  const BandMap map = map_of(g);
  return {band_scale(g, map, {1, 0, 0}), band_scale(g, map, {0, 1, 0}),
          band_scale(g, map, {0, 0, 1})};
}

BandEnergy RoundtableSchedule::band_energy(const Tensor& gradient) const {
  return energy_of(map_of(gradient.detach()).sums);
}

RoundtableSchedule::Weighted RoundtableSchedule::weighted(const Tensor& gradient) const {
  const Tensor g = gradient.detach();
  const BandMap map = map_of(g);
  const BandEnergy energy = energy_of(map.sums);
  const auto* fixed = std::get_if<BandWeights>(&options_.weights);
  const BandWeights weights =
      fixed != nullptr ? *fixed : std::get<BandWeighting>(options_.weights)(energy);
  if (fixed == nullptr) check_weights(weights);
  if (weights == BandWeights{1.0, 1.0, 1.0}) return {g, energy};
  return {band_scale(g, map, weights), energy};
}

}  // namespace spiraltorch
