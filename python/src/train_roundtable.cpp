#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <string>

#include "arrays.hpp"
#include "rank.hpp"
#include "train.hpp"

using namespace nb::literals;
using st::BandEnergy;
using st::RoundtableSchedule;
using st::Tensor;

namespace {

void construct(RoundtableSchedule* self, std::int64_t rows, std::int64_t cols, std::int64_t top_k,
               std::int64_t mid_k, std::int64_t bottom_k, double here_tolerance, nb::handle weights,
               std::optional<std::string> device) {
  new (self) RoundtableSchedule(
      rows, cols,
      {top_k, mid_k, bottom_k, here_tolerance, band_weights_of(weights), device.value_or("auto")});
}

nb::object weights_of_schedule(const RoundtableSchedule& s) {
  const auto& weights = s.options().weights;
  if (const auto* fixed = std::get_if<st::BandWeights>(&weights)) {
    return nb::make_tuple((*fixed)[0], (*fixed)[1], (*fixed)[2]);
  }
  const auto function = std::get<st::BandWeighting>(weights);
  return nb::cpp_function([function](const BandEnergy& energy) {
    const st::BandWeights out = function(energy);
    return nb::make_tuple(out[0], out[1], out[2]);
  });
}

void bind_energy(nb::module_& m) {
  nb::class_<BandEnergy>(m, "BandEnergy", "Sums of |g| over a gradient's bands.")
      .def(nb::init<double, double, double>(), "above"_a = 0.0, "here"_a = 0.0, "beneath"_a = 0.0)
      .def_rw("above", &BandEnergy::above, "Of the largest entries.")
      .def_rw("here", &BandEnergy::here, "Of the rest.")
      .def_rw("beneath", &BandEnergy::beneath, "Of the smallest entries.")
      .def("l1", &BandEnergy::l1, "Their sum.")
      .def("norm", &BandEnergy::norm, "Their shares of the sum; thirds if it is 0.")
      .def(
          "__iter__",
          [](const BandEnergy& e) { return nb::iter(nb::make_tuple(e.above, e.here, e.beneath)); },
          "above, here, beneath.")
      .def("__eq__", [](const BandEnergy& a, const BandEnergy& b) { return a == b; })
      .def("__repr__", &BandEnergy::repr);
}

}  // namespace

void bind_roundtable(nb::module_& m) {
  bind_energy(m);
  nb::class_<RoundtableSchedule> c(
      m, "RoundtableSchedule",
      "Splits a loss' gradient by size into Above, Here and Beneath and weights the bands.");
  c.def("__init__", construct, "rows"_a, "cols"_a, "top_k"_a = 8, "mid_k"_a = 8, "bottom_k"_a = 8,
        "here_tolerance"_a = 1e-5, "weights"_a = nb::make_tuple(1.0, 1.0, 1.0),
        "device"_a = nb::none());
  c.def_prop_ro("rows", &RoundtableSchedule::rows, "Rows that the plans are for.");
  c.def_prop_ro("cols", &RoundtableSchedule::cols, "Columns that the plans are for.");
  c.def_prop_ro("top_k", [](const RoundtableSchedule& s) { return s.options().top_k; });
  c.def_prop_ro("mid_k", [](const RoundtableSchedule& s) { return s.options().mid_k; });
  c.def_prop_ro("bottom_k", [](const RoundtableSchedule& s) { return s.options().bottom_k; });
  c.def_prop_ro("here_tolerance",
                [](const RoundtableSchedule& s) { return s.options().here_tolerance; });
  c.def_prop_ro("weights", weights_of_schedule, "(above, here, beneath), or a callable.");
  c.def_prop_ro(
      "plans",
      [](const RoundtableSchedule& s) {
        const auto& plans = s.plans();
        return nb::make_tuple(PyRankPlan{plans[0]}, PyRankPlan{plans[1]}, PyRankPlan{plans[2]});
      },
      "The rank plans of TopK, MidK and BottomK.");
  c.def("with_weights", &RoundtableSchedule::with_weights, "above"_a, "here"_a, "beneath"_a,
        "The same schedule with other weights.");
  c.def(
      "split",
      [](const RoundtableSchedule& s, const Tensor& gradient) {
        const auto parts = [&] {
          const nb::gil_scoped_release unlock;
          return s.split(gradient);
        }();
        return nb::make_tuple(parts[0], parts[1], parts[2]);
      },
      "gradient"_a, "(above, here, beneath) of the gradient's shape; they add up to it exactly.");
  c.def("band_energy", &RoundtableSchedule::band_energy, "gradient"_a, Unlocked(),
        "Sums of |g| over the bands.");
  c.def("__repr__", &RoundtableSchedule::repr);
}
