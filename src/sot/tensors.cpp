#include <array>
#include <cstdio>
#include <span>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/sot/plan.hpp"

// What a plan gives to the rest of the library: tensors of its steps, and a biome.
namespace spiraltorch {
namespace {

// One row a step.
template <std::size_t kColumns, class F>
Tensor rows_of(const SoT3DPlan& plan, F&& row) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(plan.total_steps()) * kColumns);
  plan.for_each([&](const SoT3DStep& s) {
    const std::array<double, kColumns> one = row(s);
    values.insert(values.end(), one.begin(), one.end());
  });
  return {plan.total_steps(), static_cast<std::int64_t>(kColumns), std::span<const double>(values)};
}

}  // namespace

void SoT3DPlan::check_not_empty(std::string_view op) const {
  require(steps_ > 0, Errc::empty_input, op, "plan: got one without steps, expected at least one");
}

Tensor SoT3DPlan::as_tensor() const {
  check_not_empty("as_tensor");
  return rows_of<3>(*this, [](const SoT3DStep& s) { return std::array{s.x, s.y, s.height}; });
}

Tensor SoT3DPlan::feature_tensor() const {
  check_not_empty("feature_tensor");
  return rows_of<9>(*this, [this](const SoT3DStep& s) {
    return std::array{s.radius,           s.angle,      s.height,      s.curvature,
                      s.macro.phase,      s.meso.phase, s.micro.phase, options_.meso_gain,
                      options_.micro_gain};
  });
}

Tensor SoT3DPlan::reflection_tensor() const {
  check_not_empty("reflection_tensor");
  return rows_of<3>(*this, [](const SoT3DStep& s) {
    const auto number = [](bool flag) { return flag ? 1.0 : 0.0; };
    return std::array{number(s.macro.reflection), number(s.meso.reflection),
                      number(s.micro.reflection)};
  });
}

Tensor SoT3DPlan::role_tensor() const {
  check_not_empty("role_tensor");
  return rows_of<2>(*this, [](const SoT3DStep& s) {
    return std::array{static_cast<double>(s.meso.index % 3),
                      static_cast<double>(s.micro.index % 4)};
  });
}

Tensor SoT3DPlan::macro_summary_tensor() const {
  check_not_empty("macro_summary_tensor");
  std::vector<double> values;
  const auto macros = macro_summaries();
  for (const MacroSummary& m : macros) {
    values.insert(values.end(), {static_cast<double>(m.index), static_cast<double>(m.length),
                                 static_cast<double>(m.ideal_length), m.height_gain,
                                 m.mean_curvature, static_cast<double>(m.reflection_step)});
  }
  return {std::ssize(macros), 6, std::span<const double>(values)};
}

TensorBiome SoT3DPlan::grow_biome(const OpenTopos& topos, std::string_view label_prefix,
                                  bool include_reflections) const {
  TensorBiome biome(topos);
  if (steps_ == 0) return biome;
  const auto label = [&](std::string_view name) { return text(label_prefix, "_", name); };
  const double share = (1.0 + options_.meso_gain + options_.micro_gain) / 3.0;
  biome.absorb(label("positions"), as_tensor());
  biome.absorb_weighted(label("cylinder"),
                        rows_of<3>(*this,
                                   [](const SoT3DStep& s) {
                                     return std::array{s.radius, s.angle, s.height};
                                   }),
                        share);
  biome.absorb_weighted(label("phase"),
                        rows_of<3>(*this,
                                   [](const SoT3DStep& s) {
                                     return std::array{s.curvature, s.macro.phase, s.meso.phase};
                                   }),
                        share);
  biome.absorb_weighted(
      label("gain"),
      rows_of<3>(*this,
                 [this](const SoT3DStep& s) {
                   return std::array{s.micro.phase, options_.meso_gain, options_.micro_gain};
                 }),
      share);
  if (include_reflections) biome.absorb(label("reflections"), reflection_tensor());
  return biome;
}

std::string SoT3DPlan::repr() const {
  std::array<char, 96> out{};
  std::snprintf(out.data(), out.size(), "SoT3DPlan(steps=%lld, base_radius=%.3f, growth=%.3f)",
                static_cast<long long>(steps_), options_.base_radius, options_.radial_growth);
  return out.data();
}

}  // namespace spiraltorch
