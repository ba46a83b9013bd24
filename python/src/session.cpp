#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/session/spiral_session.hpp>

#include "arrays.hpp"
#include "device.hpp"
#include "rank.hpp"
#include "train.hpp"

using namespace nb::literals;
using st::SpiralSession;
using st::Tensor;
using Builder = st::SpiralSessionBuilder;

namespace {

void construct(SpiralSession* self, std::optional<std::string> device, double curvature,
               double hyper_learning_rate, double fallback_learning_rate, double entropy_weight,
               double beta_j, std::optional<st::OpenTopos> topos, std::optional<Tensor> coupling,
               std::optional<std::uint64_t> seed, bool strict) {
  st::SessionOptions o;
  o.device = device.value_or("auto");
  o.curvature = curvature;
  o.hyper_learning_rate = hyper_learning_rate;
  o.fallback_learning_rate = fallback_learning_rate;
  o.entropy_weight = entropy_weight;
  o.beta_j = beta_j;
  o.topos = topos;
  o.coupling = std::move(coupling);
  o.seed = seed;
  o.strict = strict;
  new (self) SpiralSession(std::move(o));
}

st::SpiralDifferentialTrace trace(const SpiralSession& s, const Tensor& seed,
                                  const std::optional<nb::dict>& sot) {
  if (!sot) return s.trace(seed);
  return s.trace(seed, trace_plan_options(*sot));
}

void bind_builder(nb::module_& m) {
  constexpr auto kSelf = nb::rv_policy::none;
  nb::class_<Builder>(m, "SpiralSessionBuilder",
                      "A session's options one by one; every setter returns the builder.")
      .def(
          "__init__",
          [](Builder* self, std::optional<std::string> device) {
            new (self) Builder();
            if (device) self->device(*device);
          },
          "device"_a = nb::none())
      .def("curvature", &Builder::curvature, "value"_a, kSelf)
      .def("hyper_learning_rate", &Builder::hyper_learning_rate, "value"_a, kSelf)
      .def("fallback_learning_rate", &Builder::fallback_learning_rate, "value"_a, kSelf)
      .def("entropy_weight", &Builder::entropy_weight, "value"_a, kSelf)
      .def("beta_j", &Builder::beta_j, "value"_a, kSelf)
      .def("seed", &Builder::seed, "value"_a, kSelf)
      .def("strict", &Builder::strict, "value"_a, kSelf)
      .def("coupling", &Builder::coupling, "tensor"_a = nb::none(), kSelf)
      .def("topos", &Builder::topos, "curvature"_a, "tolerance"_a, "saturation"_a, "max_depth"_a,
           "max_volume"_a, kSelf)
      .def("topos_guard", &Builder::topos_guard, "topos"_a, kSelf)
      .def("clear_topos", &Builder::clear_topos, kSelf)
      .def("build", &Builder::build, "Checks everything and makes the session.");
}

void bind_training(nb::class_<SpiralSession>& c) {
  c.def("trainer", &SpiralSession::trainer, "optimizer"_a = nb::none(), "scheduler"_a = nb::none(),
        "clip_norm"_a = nb::none(), "A ModuleTrainer with the session's values.");
  c.def(
      "roundtable",
      [](const SpiralSession& s, std::int64_t rows, std::int64_t cols, std::int64_t top_k,
         std::int64_t mid_k, std::int64_t bottom_k, double here_tolerance, nb::handle weights) {
        return s.roundtable(rows, cols,
                            {top_k, mid_k, bottom_k, here_tolerance, band_weights_of(weights)});
      },
      "rows"_a, "cols"_a, "top_k"_a = 8, "mid_k"_a = 8, "bottom_k"_a = 8, "here_tolerance"_a = 1e-5,
      "weights"_a = nb::make_tuple(1.0, 1.0, 1.0),
      "A RoundtableSchedule whose plans are for the session's device.");
  c.def(
      "prepare_module",
      [](const SpiralSession& s, nb::handle module) {
        if (!nb::isinstance<st::nn::Module>(module)) {
          throw nb::type_error("[prepare_module] module: expected a Module");
        }
        const auto native = nb::cast<st::nn::ModulePtr>(module);
        {
          const nb::gil_scoped_release unlock;
          s.prepare_module(native);
        }
        return nb::borrow(module);
      },
      "module"_a,
      "Moves the parameters to the session's device and gives each a fresh tape; returns the "
      "module.");
  c.def(
      "train_epoch",
      [](const SpiralSession& s, st::ModuleTrainer& trainer, const st::nn::ModulePtr& module,
         nb::handle loss, nb::handle batches, const st::RoundtableSchedule* schedule) {
        s.check_open("train_epoch");
        return train_epoch(trainer, module, loss, batches, schedule);
      },
      "trainer"_a, "module"_a, "loss"_a, "batches"_a, "schedule"_a = nb::none(),
      "The trainer's train_epoch.");
}

}  // namespace

void bind_session(nb::module_& m) {
  auto c = nb::class_<SpiralSession>(
      m, "SpiralSession",
      "Device, curvature and rates wired once; makes barycenters, tapes and traces.");
  c.def("__init__", construct, "device"_a = nb::none(), "curvature"_a = -1.0,
        "hyper_learning_rate"_a = 0.05, "fallback_learning_rate"_a = 0.01, "entropy_weight"_a = 0.1,
        "beta_j"_a = 0.0, "topos"_a = nb::none(), "coupling"_a = nb::none(), "seed"_a = nb::none(),
        "strict"_a = false,
        "An absent device becomes the CPU with one warning, or with strict=True an error.");
  c.def_prop_ro(
      "device",
      [](const SpiralSession& s) {
        const auto name = nb::module_::import_("spiraltorch._device_name").attr("DeviceName");
        return nb::borrow<nb::str>(name(s.device(), s.requested_device()));
      },
      "The device that computes, as text with attributes effective and requested.");
  c.def(
      "__enter__",
      [](const SpiralSession& s) -> const SpiralSession& {
        s.check_open("with");
        push_default_device(s.device_id());
        return s;
      },
      nb::rv_policy::reference, "Its device becomes the default of new tensors in this thread.");
  c.def(
      "__exit__", [](const SpiralSession&, nb::args) { pop_default_device(); },
      "The former default is back.");
  c.def("close", &SpiralSession::close,
        "Ends the session: what it made lives on, later use is a ValueError.");
  c.def(
      "device_caps",
      [](const SpiralSession& s) {
        return caps_dict([&] {
          const nb::gil_scoped_release unlock;
          return s.device_caps();
        }());
      },
      "What the device that computes says of itself, as describe_device does.");
  c.def(
      "plan",
      [](const SpiralSession& s, nb::handle kind, nb::handle rows, nb::handle cols, nb::handle k) {
        s.check_open("plan");
        return make_plan(kind, rows, cols, k, s.device());
      },
      "kind"_a, "rows"_a, "cols"_a, "k"_a, "plan() for the device that computes.");
  c.def_prop_ro("requested_device", &SpiralSession::requested_device, "The one asked for.");
  c.def_prop_ro("hyper_learning_rate", &SpiralSession::hyper_learning_rate, "Rate of tapes.");
  c.def_prop_ro("fallback_learning_rate", &SpiralSession::fallback_learning_rate,
                "Rate of parameters without a tape.");
  c.def_prop_ro("entropy_weight", &SpiralSession::entropy_weight, "Entropy weight of barycenters.");
  c.def_prop_ro("beta_j", &SpiralSession::beta_j, "Coupling scale of barycenters.");
  c.def_prop_ro("coupling", &SpiralSession::coupling, "Coupling matrix, or None.");
  c.def("curvature", &SpiralSession::curvature, "The curvature.");
  c.def("topos", &SpiralSession::topos, "The configured guard, else one with default limits.");
  c.def("encoder", &SpiralSession::encoder, "temperature"_a = 0.5,
        "A text encoder of the session's curvature.");
  c.def(
      "builder", [](const SpiralSession& s) { return Builder(s.options()); },
      "A builder filled with this session's options.");
  c.def(
      "barycenter",
      [](const SpiralSession& s, nb::handle densities, nb::handle weights,
         std::optional<double> entropy_weight, std::optional<double> beta_j,
         std::optional<Tensor> coupling) {
        const auto list = tensors_of(densities);
        const auto given = optional_numbers("barycenter", weights);
        const nb::gil_scoped_release unlock;
        return s.barycenter(list, given, entropy_weight, beta_j, coupling);
      },
      "densities"_a, "weights"_a = nb::none(), "entropy_weight"_a = nb::none(),
      "beta_j"_a = nb::none(), "coupling"_a = nb::none(),
      "Barycenter of densities; None means the session's value.");
  c.def("hypergrad", &SpiralSession::hypergrad, "rows"_a, "cols"_a,
        "A tape of the session's curvature, rate and guard.");
  c.def("align_hypergrad", &SpiralSession::align_hypergrad, "hypergrad"_a, "barycenter"_a,
        Unlocked(), "Adds the barycenter's path to the tape.");
  c.def("trace", trace, "seed"_a, "sot"_a = nb::none(), "A differential trace over a seed.");
  bind_training(c);
  c.def("__repr__", &SpiralSession::repr);
  bind_builder(m);
}
