#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/sot/plan.hpp>
#include <spiraltorch/zspace/differential_trace.hpp>

#include "arrays.hpp"

using namespace nb::literals;
using st::DifferentialResonance;
using st::Tensor;
using Trace = st::SpiralDifferentialTrace;

namespace {

std::vector<double> curvature_numbers(nb::handle curvatures) {
  return optional_numbers("with_infinity", curvatures).value_or(std::vector<double>{});
}

std::vector<double> trace_weights(nb::handle weights, std::size_t count) {
  return optional_numbers("barycenter", weights).value_or(std::vector<double>(count, 1.0));
}

void bind_resonance(nb::module_& m) {
  nb::class_<DifferentialResonance>(m, "DifferentialResonance", "The values of a trace.")
      .def("homotopy_flow", &DifferentialResonance::homotopy_flow,
           "(r, c): the seed moved along the deformations' geodesics.")
      .def("commutator", &DifferentialResonance::commutator,
           "(r, c): how far the first two deformations are from commuting.")
      .def("functor_value", &DifferentialResonance::functor_value, "(r, q): source times kernel.")
      .def("functor_linearisation", &DifferentialResonance::functor_linearisation,
           "(r, q): derivative along the last direction.")
      .def("recursive_objective", &DifferentialResonance::recursive_objective,
           "(1, 5): objectives of the barycenter's stages.")
      .def("infinity_projection", &DifferentialResonance::infinity_projection,
           "(r, c): mean of the tower's levels.")
      .def("infinity_energy", &DifferentialResonance::infinity_energy,
           "(1, L): |curvature| times squared norm of each level.")
      .def(
          "as_dict",
          [](const DifferentialResonance& r) {
            nb::dict d;
            for (const auto& [name, value] : r.as_dict()) d[name.c_str()] = value;
            return d;
          },
          "All seven by name.")
      .def("__repr__", &DifferentialResonance::repr);
}

}  // namespace

void bind_trace(nb::module_& m) {
  bind_resonance(m);
  constexpr auto kSelf = nb::rv_policy::none;
  nb::class_<Trace>(m, "SpiralDifferentialTrace",
                    "Geodesic steps, linear maps, a barycenter and a tower over one seed. Setters "
                    "return the trace.")
      .def("deform", &Trace::deform, "generator"_a, "direction"_a, kSelf, Unlocked(),
           "Appends a geodesic step along generator∘direction.")
      .def("via", &Trace::via, "kernel"_a, "source"_a = nb::none(), kSelf, Unlocked(),
           "Appends a linear map; source replaces the seed as its operand.")
      .def("across", &Trace::across, "topos"_a, kSelf, "The guard of this trace.")
      .def("with_barycenter", &Trace::with_barycenter, "barycenter"_a, kSelf,
           "Installs a solved barycenter.")
      .def(
          "with_barycenter_from",
          [](Trace& t, nb::handle weights, nb::handle densities) -> Trace& {
            const auto list = tensors_of(densities);
            const auto given = trace_weights(weights, list.size());
            const nb::gil_scoped_release unlock;
            return t.with_barycenter_from(given, list);
          },
          "weights"_a, "densities"_a, kSelf, "Solves one with the session's settings.")
      .def(
          "with_barycenter_with",
          [](Trace& t, nb::handle weights, nb::handle densities,
             std::optional<Tensor> coupling) -> Trace& {
            const auto list = tensors_of(densities);
            const auto given = trace_weights(weights, list.size());
            const nb::gil_scoped_release unlock;
            return t.with_barycenter_with(given, list, coupling);
          },
          "weights"_a, "densities"_a, "coupling"_a = nb::none(), kSelf,
          "The same with this coupling, or none.")
      .def(
          "with_infinity",
          [](Trace& t, nb::handle levels, nb::handle curvatures) -> Trace& {
            const auto list = tensors_of(levels);
            const auto given = curvature_numbers(curvatures);
            const nb::gil_scoped_release unlock;
            return t.with_infinity(list, given);
          },
          "levels"_a, "curvatures"_a = nb::none(), kSelf,
          "The tower: tensors of the seed's shape and a curvature for each.")
      .def("resonate", &Trace::resonate, Unlocked(), "Evaluates the trace.")
      .def("resonate_with_hypergrad", &Trace::resonate_with_hypergrad, "hypergrad"_a, Unlocked(),
           "The same, and the barycenter's path onto the tape.")
      .def_prop_ro(
          "sot_plan",
          [](const Trace& t) -> nb::object {
            return t.sot_plan() ? nb::cast(*t.sot_plan()) : nb::none();
          },
          "The attached spiral plan, or None.")
      .def("__repr__", &Trace::repr);
}
