#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/zspace/hypergrad.hpp>
#include <spiraltorch/zspace/tensor_biome.hpp>

#include "arrays.hpp"

using namespace nb::literals;
using st::Tensor;

namespace {

// UTF-8 of a str; lone surrogates are invalid Unicode, not a codec's error.
std::string utf8(const char* op, nb::handle text) {
  if (!PyUnicode_Check(text.ptr())) {
    throw nb::type_error(st::text("[", op, "] text: expected a str").c_str());
  }
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr) {
    PyErr_Clear();
    st::fail(st::Errc::invalid_value, op,
             "text: got invalid Unicode (a lone surrogate), expected code points");
  }
  return {bytes, static_cast<std::size_t>(size)};
}

void bind_topos(nb::module_& m) {
  nb::class_<st::OpenTopos>(m, "OpenTopos", "A numeric guard: bounds on values, sizes and depth.")
      .def(nb::init<double, double, double, std::int64_t, std::int64_t>(), "curvature"_a,
           "tolerance"_a = 1e-6, "saturation"_a = 1e6, "max_depth"_a = 4096,
           "max_volume"_a = 1048576)
      .def("curvature", &st::OpenTopos::curvature, "The curvature.")
      .def("tolerance", &st::OpenTopos::tolerance, "Tolerance of matching curvatures.")
      .def("saturation", &st::OpenTopos::saturation, "Bound on absolute values.")
      .def("max_depth", &st::OpenTopos::max_depth, "Bound on depth.")
      .def("max_volume", &st::OpenTopos::max_volume, "Bound on entries.")
      .def("guard_tensor", &st::OpenTopos::guard_tensor, "label"_a, "tensor"_a, Unlocked(),
           "Raises for a tensor that is too large or not finite.")
      .def("guard_depth", &st::OpenTopos::guard_depth, "depth"_a, "Raises from max_depth on.")
      .def("saturate_scalar", &st::OpenTopos::saturate_scalar, "value"_a,
           "The value cut to the bound.")
      .def("saturate_tensor", &st::OpenTopos::saturate_tensor, "tensor"_a, Unlocked(),
           "Cuts the elements to the bound, in place.")
      .def("rewrite", &st::OpenTopos::rewrite, "label"_a, "tensor"_a, Unlocked(),
           "The same on a copy.")
      .def("__repr__", &st::OpenTopos::repr);
}

st::CanopyMode canopy_mode(const std::string& mode) {
  if (mode == "mean") return st::CanopyMode::mean;
  if (mode == "gyro") return st::CanopyMode::gyro;
  st::fail(st::Errc::invalid_value, "canopy",
           st::text("mode: got '", mode, "', expected 'mean' or 'gyro'"));
}

void bind_biome(nb::module_& m) {
  nb::class_<st::TensorBiome>(m, "TensorBiome", "A weighted list of equally shaped tensors.")
      .def(nb::init<st::OpenTopos>(), "topos"_a)
      .def("absorb", &st::TensorBiome::absorb, "label"_a, "tensor"_a, Unlocked(),
           "Absorbs with weight 1.")
      .def("absorb_weighted", &st::TensorBiome::absorb_weighted, "label"_a, "tensor"_a, "weight"_a,
           Unlocked(), "Stores the guard's rewrite of the tensor under a label.")
      .def(
          "canopy",
          [](const st::TensorBiome& b, const std::string& mode) {
            const auto kind = canopy_mode(mode);
            const nb::gil_scoped_release unlock;
            return b.canopy(kind);
          },
          "mode"_a = "mean", "Weighted mean, or with 'gyro' row by row the gyromidpoint.")
      .def("stack", &st::TensorBiome::stack, Unlocked(), "All tensors below each other.")
      .def("topos", &st::TensorBiome::topos, "The guard.")
      .def("labels", &st::TensorBiome::labels, "Labels in order.")
      .def("weights", &st::TensorBiome::weights, "Weights in order.")
      .def("shoots", &st::TensorBiome::shoots, Unlocked(), "Copies of the tensors.")
      .def("total_weight", &st::TensorBiome::total_weight, "Sum of the weights.")
      .def("len", &st::TensorBiome::len, "Number of tensors.")
      .def("__len__", &st::TensorBiome::len)
      .def("is_empty", &st::TensorBiome::is_empty, "Whether there is none.")
      .def("clear", &st::TensorBiome::clear, "Forgets all, and the shape.")
      .def("__repr__", &st::TensorBiome::repr);
}

// The pieces of a Python iterable, fetched under the interpreter lock.
Tensor encode_stream(const st::LanguageWaveEncoder& encoder, nb::handle chunks, std::int64_t window,
                     std::int64_t hop, std::optional<std::int64_t> dim) {
  if (PyUnicode_Check(chunks.ptr())) {
    const std::string whole = utf8("encode_stream", chunks);
    bool given = false;
    return encoder.encode_stream(
        [&]() -> std::optional<std::string> {
          if (given) return {};
          given = true;
          return whole;
        },
        window, hop, dim);
  }
  const nb::iterator end = nb::iterator::sentinel();
  nb::iterator next = nb::iter(chunks);
  return encoder.encode_stream(
      [&]() -> std::optional<std::string> {
        if (next == end) return {};
        std::string piece = utf8("encode_stream", *next);
        ++next;
        return piece;
      },
      window, hop, dim);
}

void bind_encoder(nb::module_& m) {
  using Encoder = st::LanguageWaveEncoder;
  nb::class_<Encoder>(m, "LanguageWaveEncoder",
                      "Text to a point of Z-space by the Fourier transform of its samples.")
      .def(nb::init<double, double>(), "curvature"_a, "temperature"_a)
      .def("curvature", &Encoder::curvature, "The curvature.")
      .def("temperature", &Encoder::temperature, "Scale of the samples.")
      .def(
          "encode_wave",
          [](const Encoder& e, nb::handle text) {
            const std::string bytes = utf8("encode_wave", text);
            const nb::gil_scoped_release unlock;
            return e.encode_wave(bytes);
          },
          "text"_a, "(1, n) discrete Fourier transform of the text's samples.")
      .def(
          "encode_z_space",
          [](const Encoder& e, nb::handle text, std::optional<std::int64_t> dim) {
            const std::string bytes = utf8("encode_z_space", text);
            const nb::gil_scoped_release unlock;
            return e.encode_z_space(bytes, dim);
          },
          "text"_a, "dim"_a = nb::none(),
          "(1, 2n) point of the ball, or its first dim coordinates.")
      .def(
          "encode_many",
          [](const Encoder& e, nb::handle texts, std::optional<std::int64_t> dim) {
            if (PySequence_Check(texts.ptr()) == 0 || PyUnicode_Check(texts.ptr())) {
              throw nb::type_error("[encode_many] texts: expected a sequence of str");
            }
            std::vector<std::string> all;
            for (nb::handle text : texts) all.push_back(utf8("encode_many", text));
            const nb::gil_scoped_release unlock;
            return e.encode_many(all, dim);
          },
          "texts"_a, "dim"_a = nb::none(), "The individual results, computed in parallel.")
      .def("encode_stream", encode_stream, "chunks"_a, "window"_a, "hop"_a, "dim"_a = nb::none(),
           "(frames, 2·window) short-time spectra of a text that arrives in pieces.")
      .def("__repr__", &Encoder::repr);
}

std::vector<st::BarycenterIntermediate> stages_of(nb::handle list) {
  if (PySequence_Check(list.ptr()) == 0 || PyUnicode_Check(list.ptr())) {
    throw nb::type_error("[accumulate_barycenter_path] expected a sequence of intermediates");
  }
  std::vector<st::BarycenterIntermediate> out;
  for (nb::handle item : list) out.push_back(nb::cast<st::BarycenterIntermediate>(item));
  return out;
}

void bind_tape(nb::module_& m) {
  using st::Hypergrad;
  nb::class_<Hypergrad>(m, "Hypergrad",
                        "Accumulates Euclidean differentials and steps inside the Poincaré ball.")
      .def(nb::init<double, double, std::int64_t, std::int64_t, std::optional<st::OpenTopos>>(),
           "curvature"_a, "learning_rate"_a, "rows"_a, "cols"_a, "topos"_a = nb::none())
      .def_static("euclidean", &Hypergrad::euclidean, "learning_rate"_a, "rows"_a, "cols"_a,
                  "topos"_a = nb::none(), "A tape of flat space, whose apply is a plain step.")
      .def("curvature", &Hypergrad::curvature, "The curvature; 0 in flat space.")
      .def_prop_ro("manifold", &Hypergrad::manifold, "Euclidean() or a PoincareBall.")
      .def("learning_rate", &Hypergrad::learning_rate, "Step size.")
      .def(
          "shape", [](const Hypergrad& h) { return std::pair(h.shape().rows, h.shape().cols); },
          "(rows, cols).")
      .def("gradient", &Hypergrad::gradient, "Flat row-major copy of the buffer.")
      .def("topos", &Hypergrad::topos, "The guard.")
      .def("reset", &Hypergrad::reset, "Empties the buffer.")
      .def("scale_learning_rate", &Hypergrad::scale_learning_rate, "factor"_a,
           "Multiplies the step size.")
      .def("set_learning_rate", &Hypergrad::set_learning_rate, "rate"_a,
           "Sets the step size, which may be 0.")
      .def("accumulate_wave", &Hypergrad::accumulate_wave, "tensor"_a, Unlocked(),
           "Adds a Euclidean differential.")
      .def("accumulate_complex_wave", &Hypergrad::accumulate_complex_wave, "wave"_a, Unlocked(),
           "The same with a complex wave (r, c) on a tape (r, 2c).")
      .def("accumulate_pair", &Hypergrad::accumulate_pair, "prediction"_a, "target"_a, Unlocked(),
           "Adds prediction - target, the gradient of half their squared distance.")
      .def(
          "accumulate_barycenter_path",
          [](Hypergrad& h, nb::handle list) {
            const auto stages = stages_of(list);
            const nb::gil_scoped_release unlock;
            h.accumulate_barycenter_path(stages);
          },
          "intermediates"_a, "Adds the differential that leads along a barycenter's stages.")
      .def(
          "absorb_text",
          [](Hypergrad& h, const st::LanguageWaveEncoder& e, nb::handle text) {
            const std::string bytes = utf8("absorb_text", text);
            const nb::gil_scoped_release unlock;
            h.absorb_text(e, bytes);
          },
          "encoder"_a, "text"_a, "Adds the text's point: apply then moves away from it.")
      .def("apply", &Hypergrad::apply, "weights"_a, Unlocked(),
           "Riemannian gradient step of the weights in place; empties the buffer.")
      .def("__repr__", &Hypergrad::repr);
}

nb::dict as_dict(const st::ZSpaceBarycenter& b) {
  nb::dict d;
  d["density"] = b.density.clone();
  d["kl_energy"] = b.kl_energy;
  d["entropy"] = b.entropy;
  d["coupling_energy"] = b.coupling_energy;
  d["objective"] = b.objective;
  d["effective_weight"] = b.effective_weight;
  d["intermediates"] = b.intermediates;
  return d;
}

void bind_barycenter(nb::module_& m) {
  using Stage = st::BarycenterIntermediate;
  using Barycenter = st::ZSpaceBarycenter;
  nb::class_<Stage>(m, "BarycenterIntermediate",
                    "A stage between the weighted mean (interpolation 0) and the barycenter (1).")
      .def_ro("interpolation", &Stage::interpolation)
      .def_prop_ro("density", [](const Stage& s) { return s.density.clone(); })
      .def_ro("kl_energy", &Stage::kl_energy)
      .def_ro("entropy", &Stage::entropy)
      .def_ro("objective", &Stage::objective)
      .def(
          "as_tuple",
          [](const Stage& s) {
            return nb::make_tuple(s.interpolation, s.density.clone(), s.kl_energy, s.entropy,
                                  s.objective);
          },
          "(interpolation, density, kl_energy, entropy, objective).")
      .def("__repr__", &Stage::repr);
  nb::class_<Barycenter>(m, "ZSpaceBarycenter", "The barycenter of densities and its energies.")
      .def_prop_ro("density", [](const Barycenter& b) { return b.density.clone(); })
      .def_ro("kl_energy", &Barycenter::kl_energy)
      .def_ro("entropy", &Barycenter::entropy)
      .def_ro("coupling_energy", &Barycenter::coupling_energy)
      .def_ro("objective", &Barycenter::objective)
      .def_ro("effective_weight", &Barycenter::effective_weight)
      .def(
          "intermediates", [](const Barycenter& b) { return b.intermediates; },
          "Five stages with objectives that do not increase.")
      .def("as_dict", as_dict, "Everything by name.")
      .def("__repr__", &Barycenter::repr);
  m.def(
      "z_space_barycenter",
      [](nb::handle densities, nb::handle weights, double entropy_weight, double beta_j,
         std::optional<Tensor> coupling) {
        const auto list = tensors_of(densities);
        const auto given = optional_numbers("barycenter", weights);
        std::optional<st::ZSpaceBarycenter> out;
        {
          const nb::gil_scoped_release unlock;
          out = st::z_space_barycenter(list, given,
                                       {.entropy_weight = entropy_weight,
                                        .beta_j = beta_j,
                                        .coupling = std::move(coupling)});
        }
        return as_dict(*out);
      },
      "densities"_a, "weights"_a = nb::none(), "entropy_weight"_a = 0.0, "beta_j"_a = 0.0,
      "coupling"_a = nb::none(), "Barycenter of densities in closed form, as a dict.");
}

}  // namespace

void bind_zspace(nb::module_& m) {
  bind_topos(m);
  bind_biome(m);
  bind_encoder(m);
  bind_barycenter(m);
  bind_tape(m);
}
