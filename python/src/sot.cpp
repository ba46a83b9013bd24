#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/nn/zspace_projector.hpp>
#include <spiraltorch/sot/plan.hpp>
#include <string>
#include <tuple>

#include "bind.hpp"
#include "rank.hpp"

using namespace nb::literals;
using st::MacroSummary;
using st::SoT3DPlan;
using st::SoT3DStep;
using st::Tensor;
using st::ZSpaceProjector;

namespace {

nb::dict block_dict(const st::SpiralBlock& b) {
  nb::dict d;
  d["index"] = b.index;
  d["length"] = b.length;
  d["position"] = b.position;
  d["phase"] = b.phase;
  d["reflection"] = b.reflection;
  return d;
}

nb::dict step_dict(const SoT3DStep& s) {
  nb::dict d;
  d["index"] = s.index;
  d["angle"] = s.angle;
  d["radius"] = s.radius;
  d["x"] = s.x;
  d["y"] = s.y;
  d["height"] = s.height;
  d["z_track"] = s.z_track;
  d["curvature"] = s.curvature;
  d["macro"] = block_dict(s.macro);
  nb::dict meso = block_dict(s.meso);
  meso["role"] = std::string(s.meso_role());
  d["meso"] = meso;
  nb::dict micro = block_dict(s.micro);
  micro["role"] = std::string(s.micro_role());
  d["micro"] = micro;
  return d;
}

nb::dict summary_dict(const MacroSummary& m) {
  nb::dict d;
  d["index"] = m.index;
  d["start"] = m.start;
  d["length"] = m.length;
  d["ideal_length"] = m.ideal_length;
  d["reflection_step"] = m.reflection_step;
  d["height_gain"] = m.height_gain;
  d["mean_curvature"] = m.mean_curvature;
  return d;
}

template <st::SpiralBlock SoT3DStep::*block>
void def_block(nb::class_<SoT3DStep>& c, const std::string& kind) {
  const auto def = [&](const char* name, auto get) {
    c.def_prop_ro((kind + "_" + name).c_str(), get);
  };
  def("index", [](const SoT3DStep& s) { return (s.*block).index; });
  def("length", [](const SoT3DStep& s) { return (s.*block).length; });
  def("position", [](const SoT3DStep& s) { return (s.*block).position; });
  def("phase", [](const SoT3DStep& s) { return (s.*block).phase; });
  def("reflection", [](const SoT3DStep& s) { return (s.*block).reflection; });
}

void bind_step(nb::module_& m) {
  nb::class_<SoT3DStep> c(m, "SoT3DStep", "One step of a spiral plan.");
  c.def_ro("index", &SoT3DStep::index);
  c.def_ro("angle", &SoT3DStep::angle);
  c.def_ro("radius", &SoT3DStep::radius);
  c.def_ro("x", &SoT3DStep::x);
  c.def_ro("y", &SoT3DStep::y);
  c.def_ro("height", &SoT3DStep::height);
  c.def_ro("z_track", &SoT3DStep::z_track);
  c.def_ro("curvature", &SoT3DStep::curvature);
  def_block<&SoT3DStep::macro>(c, "macro");
  def_block<&SoT3DStep::meso>(c, "meso");
  def_block<&SoT3DStep::micro>(c, "micro");
  c.def_prop_ro("meso_role", [](const SoT3DStep& s) { return std::string(s.meso_role()); });
  c.def_prop_ro("micro_role", [](const SoT3DStep& s) { return std::string(s.micro_role()); });
  c.def(
      "position", [](const SoT3DStep& s) { return std::tuple(s.x, s.y, s.height); },
      "(x, y, height).");
  c.def("as_dict", step_dict, "All values, the blocks' nested.");
  nb::class_<MacroSummary>(m, "MacroSummary", "One macro block of a spiral plan.")
      .def_ro("index", &MacroSummary::index)
      .def_ro("start", &MacroSummary::start)
      .def_ro("length", &MacroSummary::length)
      .def_ro("ideal_length", &MacroSummary::ideal_length)
      .def_ro("reflection_step", &MacroSummary::reflection_step)
      .def_ro("height_gain", &MacroSummary::height_gain)
      .def_ro("mean_curvature", &MacroSummary::mean_curvature)
      .def("as_dict", summary_dict, "All values.");
}

void bind_plan_values(nb::class_<SoT3DPlan>& c) {
  c.def_prop_ro("total_steps", &SoT3DPlan::total_steps);
  c.def_prop_ro("base_radius", [](const SoT3DPlan& p) { return p.options().base_radius; });
  c.def_prop_ro("radial_growth", [](const SoT3DPlan& p) { return p.options().radial_growth; });
  c.def_prop_ro("base_height", [](const SoT3DPlan& p) { return p.options().base_height; });
  c.def_prop_ro("meso_gain", [](const SoT3DPlan& p) { return p.options().meso_gain; });
  c.def_prop_ro("micro_gain", [](const SoT3DPlan& p) { return p.options().micro_gain; });
  c.def_prop_ro("spacing", [](const SoT3DPlan& p) {
    return p.options().spacing == st::SpiralSpacing::log ? "log" : "vogel";
  });
  c.def("__len__", &SoT3DPlan::total_steps);
  c.def("__bool__", [](const SoT3DPlan&) { return true; });
  c.def("__repr__", &SoT3DPlan::repr);
}

void bind_plan(nb::module_& m) {
  nb::class_<SoT3DPlan> c(m, "SoT3DPlan",
                          "A spiral of golden-angle steps in nested blocks of Fibonacci, "
                          "tribonacci and tetranacci lengths.");
  bind_plan_values(c);
  c.def("steps", &SoT3DPlan::steps, "All steps.");
  c.def(
      "as_dicts",
      [](const SoT3DPlan& p) {
        nb::list out;
        p.for_each([&](const SoT3DStep& s) { out.append(step_dict(s)); });
        return out;
      },
      "All steps as dicts.");
  c.def("macro_summaries", &SoT3DPlan::macro_summaries, "The macro blocks.");
  c.def(
      "polyline",
      [](const SoT3DPlan& p) {
        nb::list out;
        for (const auto& at : p.polyline()) out.append(nb::make_tuple(at[0], at[1], at[2]));
        return out;
      },
      "(x, y, height) of each step.");
  c.def("reflection_points", &SoT3DPlan::reflection_points,
        "(step, kind) of each block's last step.");
  c.def("as_tensor", &SoT3DPlan::as_tensor, Unlocked(), "(n, 3): x, y, height.");
  c.def("feature_tensor", &SoT3DPlan::feature_tensor, Unlocked(),
        "(n, 9): radius, angle, height, curvature, macro, meso and micro phase, meso_gain, "
        "micro_gain.");
  c.def("reflection_tensor", &SoT3DPlan::reflection_tensor, Unlocked(),
        "(n, 3): macro, meso and micro reflections as 0 and 1.");
  c.def("role_tensor", &SoT3DPlan::role_tensor, Unlocked(),
        "(n, 2): meso index mod 3, micro index mod 4.");
  c.def("macro_summary_tensor", &SoT3DPlan::macro_summary_tensor, Unlocked(),
        "(macros, 6): index, length, ideal_length, height_gain, mean_curvature, reflection_step.");
  c.def("grow_biome", &SoT3DPlan::grow_biome, "topos"_a, "label_prefix"_a = "sot",
        "include_reflections"_a = true, Unlocked(), "A biome of the plan's (n, 3) views.");
}

void bind_projector(nb::module_& m) {
  nb::class_<ZSpaceProjector, st::nn::Module> c(
      m, "ZSpaceProjector", nb::is_final(),
      "Rows of numbers, texts, spirals and biomes as points of the ball: guarded, clipped to the "
      "topos' saturation, mapped by the exponential map at the origin.");
  c.def(nb::init<const st::OpenTopos&, const st::LanguageWaveEncoder&>(), "topos"_a, "encoder"_a);
  c.def("curvature", &ZSpaceProjector::curvature);
  c.def("topos", [](const ZSpaceProjector& p) { return p.topos(); });
  c.def("encode_text", &ZSpaceProjector::encode_text, "text"_a, "dim"_a = nb::none(), Unlocked(),
        "The encoder's point of Z-space, guarded.");
  c.def("project_spiral", &ZSpaceProjector::project_spiral, "plan"_a, Unlocked(),
        "The plan's steps as points.");
  c.def("reimport_biome", &ZSpaceProjector::reimport_biome, "biome"_a, Unlocked(),
        "The biome's canopy as points.");
}

}  // namespace

st::TracePlanOptions trace_plan_options(const nb::dict& options) {
  st::TracePlanOptions out;
  for (const auto& [key, value] : options) {
    const auto name = nb::cast<std::string>(nb::str(key));
    if (name == "steps") {
      out.steps = integer("trace", "steps", value);
    } else if (name == "spacing") {
      out.spacing = nb::cast<std::string>(value);
    } else {
      double* to = name == "base_radius"     ? &out.base_radius
                   : name == "radial_growth" ? &out.radial_growth
                   : name == "base_height"   ? &out.base_height
                   : name == "meso_gain"     ? &out.meso_gain
                   : name == "micro_gain"    ? &out.micro_gain
                                             : nullptr;
      if (to == nullptr) {
        st::fail(st::Errc::invalid_value, "trace",
                 "sot: got the key '" + name +
                     "', expected steps, base_radius, radial_growth, base_height, meso_gain, "
                     "micro_gain or spacing");
      }
      *to = number("trace", value);
    }
  }
  return out;
}

void bind_sot(nb::module_& m) {
  bind_step(m);
  bind_plan(m);
  bind_projector(m);
  m.def("golden_angle", st::golden_angle, "pi * (3 - sqrt(5)), in radians.");
  m.def("golden_ratio", st::golden_ratio, "(1 + sqrt(5)) / 2.");
  m.def("fibonacci_pacing", st::fibonacci_pacing, "n"_a, "Lengths 1, 1, 2, 3, 5, ... up to n.");
  m.def("pack_tribonacci_chunks", st::pack_tribonacci_chunks, "n"_a,
        "n as a sum of 1, 2, 4, 7, 13, ...");
  m.def("pack_tetranacci_chunks", st::pack_tetranacci_chunks, "n"_a,
        "n as a sum of 1, 2, 4, 8, 15, ...");
  m.def(
      "generate_plan",
      [](nb::handle total_steps, double base_radius, double radial_growth, double base_height,
         double meso_gain, double micro_gain, const std::string& spacing) {
        return SoT3DPlan(integer("generate_plan", "total_steps", total_steps),
                         {base_radius, radial_growth, base_height, meso_gain, micro_gain,
                          st::parse_spacing("generate_plan", spacing)});
      },
      "total_steps"_a, "base_radius"_a = 1.0, "radial_growth"_a = 0.05, "base_height"_a = 1.0,
      "meso_gain"_a = 0.2, "micro_gain"_a = 0.05, "spacing"_a = "log",
      "A spiral plan; spacing is 'log' or 'vogel'.\n\n"
      ">>> generate_plan(64, radial_growth=0.08)\n"
      "SoT3DPlan(steps=64, base_radius=1.000, growth=0.080)");
}
