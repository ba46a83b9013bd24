#include "spiraltorch/sot/plan.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "SoT3DPlan";

double radius_at(const SpiralOptions& o, std::int64_t i) {
  const auto step = static_cast<double>(i);
  if (o.spacing == SpiralSpacing::log) return o.base_radius * std::exp(o.radial_growth * step);
  return o.base_radius * std::sqrt(step + 1.0);
}

// Of the planar curve r = a e^{bθ}, b = growth/γ, or r² = a²(1 + θ/γ).
double curvature_at(const SpiralOptions& o, double radius) {
  const double gamma = golden_angle();
  if (o.spacing == SpiralSpacing::log) {
    const double b = o.radial_growth / gamma;
    return 1.0 / (radius * std::sqrt(1.0 + b * b));
  }
  const double slope = o.base_radius * o.base_radius / (2.0 * gamma * radius * radius);
  const double q = slope * slope;
  return (1.0 + 3.0 * q) / (radius * std::pow(1.0 + q, 1.5));
}

void check_radius(std::int64_t step, double radius) {
  const auto is_normal = [](double v) {
    return v >= static_cast<double>(std::numeric_limits<float>::min()) &&
           v <= static_cast<double>(std::numeric_limits<float>::max());
  };
  if (is_normal(radius) && is_normal(1.0 / radius)) return;
  fail(Errc::invalid_value, kName,
       text("radius of step ", step, ": got ", radius,
            ", expected it and its reciprocal to be normal float32 numbers"));
}

void check_options(std::int64_t steps, const SpiralOptions& o) {
  if (steps < 0 || steps >= (std::int64_t{1} << 31)) {
    fail(Errc::invalid_value, kName,
         text("total_steps: got ", steps, ", expected 0 to 2147483647"));
  }
  const auto check = [](std::string_view what, double value, bool ok, std::string_view expected) {
    if (ok && std::isfinite(value)) return;
    fail(Errc::invalid_value, kName, text(what, ": got ", value, ", expected ", expected));
  };
  check("base_radius", o.base_radius, o.base_radius > 0.0, "a finite number > 0");
  check("radial_growth", o.radial_growth, true, "a finite number");
  check("base_height", o.base_height, true, "a finite number");
  check("meso_gain", o.meso_gain, o.meso_gain >= 0.0, "a finite number >= 0");
  check("micro_gain", o.micro_gain, o.micro_gain >= 0.0, "a finite number >= 0");
  if (steps == 0) return;
  check_radius(0, radius_at(o, 0));
  check_radius(steps - 1, radius_at(o, steps - 1));
}

SpiralBlock block_at(std::int64_t index, std::int64_t length, std::int64_t position) {
  const double phase =
      length > 1 ? static_cast<double>(position) / static_cast<double>(length - 1) : 0.0;
  return {index, length, position, phase, position == length - 1};
}

double height_gain(const SpiralOptions& o, std::int64_t macro) {
  return o.base_height / std::pow(golden_ratio(), static_cast<double>(macro));
}

void place(const SpiralOptions& o, SoT3DStep& s) {
  s.angle = golden_angle() * static_cast<double>(s.index);
  s.radius = radius_at(o, s.index);
  s.x = s.radius * std::cos(s.angle);
  s.y = s.radius * std::sin(s.angle);
  s.height = s.z_track + o.meso_gain * (s.meso.phase - 0.5) + o.micro_gain * (s.micro.phase - 0.5);
  s.curvature = curvature_at(o, s.radius);
}

}  // namespace

SpiralSpacing parse_spacing(std::string_view op, std::string_view name) {
  if (name == "log") return SpiralSpacing::log;
  if (name == "vogel") return SpiralSpacing::vogel;
  fail(Errc::invalid_value, op, text("spacing: got '", name, "', expected log or vogel"));
}

std::string_view SoT3DStep::meso_role() const noexcept {
  constexpr std::array<std::string_view, 3> kRoles{"explore", "structure", "verify"};
  return kRoles[static_cast<std::size_t>(meso.index % 3)];
}

std::string_view SoT3DStep::micro_role() const noexcept {
  constexpr std::array<std::string_view, 4> kRoles{"diverge", "ground", "design", "test"};
  return kRoles[static_cast<std::size_t>(micro.index % 4)];
}

SoT3DPlan::SoT3DPlan(std::int64_t total_steps, SpiralOptions options)
    : steps_(total_steps), options_(options) {
  check_options(total_steps, options);
}

void SoT3DPlan::for_each(const std::function<void(const SoT3DStep&)>& body) const {
  SoT3DStep s;
  std::int64_t meso_index = 0;
  std::int64_t micro_index = 0;
  const auto macros = fibonacci_pacing(steps_);
  for (std::int64_t m = 0; m < std::ssize(macros); ++m) {
    const std::int64_t length = macros[static_cast<std::size_t>(m)];
    const double rise = height_gain(options_, m) / static_cast<double>(length);
    std::int64_t in_macro = 0;
    for (const std::int64_t meso : pack_tribonacci_chunks(length)) {
      std::int64_t in_meso = 0;
      for (const std::int64_t micro : pack_tetranacci_chunks(meso)) {
        for (std::int64_t in_micro = 0; in_micro < micro; ++in_micro) {
          s.macro = block_at(m, length, in_macro++);
          s.meso = block_at(meso_index, meso, in_meso++);
          s.micro = block_at(micro_index, micro, in_micro);
          s.z_track += rise;
          place(options_, s);
          body(s);
          ++s.index;
        }
        ++micro_index;
      }
      ++meso_index;
    }
  }
}

std::vector<SoT3DStep> SoT3DPlan::steps() const {
  std::vector<SoT3DStep> out;
  for_each([&](const SoT3DStep& s) { out.push_back(s); });
  return out;
}

std::vector<MacroSummary> SoT3DPlan::macro_summaries() const {
  std::vector<MacroSummary> out;
  std::int64_t ideal = 1;
  std::int64_t next = 1;
  for_each([&](const SoT3DStep& s) {
    if (s.macro.position == 0) {
      out.push_back({s.macro.index, s.index, s.macro.length, ideal, s.index + s.macro.length - 1,
                     height_gain(options_, s.macro.index), 0.0});
      ideal = std::exchange(next, ideal + next);
    }
    out.back().mean_curvature += s.curvature;
    if (s.macro.reflection) out.back().mean_curvature /= static_cast<double>(s.macro.length);
  });
  return out;
}

std::vector<std::array<double, 3>> SoT3DPlan::polyline() const {
  std::vector<std::array<double, 3>> out;
  for_each([&](const SoT3DStep& s) { out.push_back({s.x, s.y, s.height}); });
  return out;
}

std::vector<std::pair<std::int64_t, std::string>> SoT3DPlan::reflection_points() const {
  std::vector<std::pair<std::int64_t, std::string>> out;
  for_each([&](const SoT3DStep& s) {
    if (s.micro.reflection) out.emplace_back(s.index, "micro");
    if (s.meso.reflection) out.emplace_back(s.index, "meso");
    if (s.macro.reflection) out.emplace_back(s.index, "macro");
  });
  return out;
}

}  // namespace spiraltorch
