#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/nn/activation.hpp>
#include <spiraltorch/nn/linear.hpp>
#include <spiraltorch/nn/sequential.hpp>

#include "nn.hpp"

using namespace nb::literals;
using st::nn::Module;
using st::nn::ModulePtr;

namespace {

st::nn::Init init_of(const std::string& init) {
  if (init == "kaiming") return st::nn::Init::kaiming;
  if (init == "xavier") return st::nn::Init::xavier;
  if (init == "zeros") return st::nn::Init::zeros;
  st::fail(st::Errc::invalid_value, "Linear",
           st::text("init: got '", init, "', expected 'kaiming', 'xavier' or 'zeros'"));
}

st::nn::GeluKind gelu_of(const std::string& approximate) {
  if (approximate == "none") return st::nn::GeluKind::exact;
  if (approximate == "tanh") return st::nn::GeluKind::tanh;
  st::fail(st::Errc::invalid_value, "Gelu",
           st::text("approximate: got '", approximate, "', expected 'none' or 'tanh'"));
}

void bind_linear(nb::module_& m) {
  using st::nn::Linear;
  nb::class_<Linear, Module>(m, "Linear", nb::is_final(),
                             "Y = XW + b; W is input_dim × output_dim.")
      .def(
          "__init__",
          [](Linear* self, std::int64_t in, std::int64_t out, std::string name, bool bias,
             const std::string& init, double gain) {
            construct_layer(self, in, out, std::move(name),
                            st::nn::LinearOptions{bias, init_of(init), gain});
          },
          "input_dim"_a, "output_dim"_a, "name"_a = "linear", nb::kw_only(), "bias"_a = true,
          "init"_a = "kaiming", "gain"_a = 1.0)
      .def_prop_ro("weight", &Linear::weight)
      .def_prop_ro("bias", &Linear::bias);
}

nb::object item(const st::nn::Sequential& s, nb::handle key) {
  const auto layers = s.layers();
  const auto length = static_cast<Py_ssize_t>(layers.size());
  if (PySlice_Check(key.ptr())) {
    Py_ssize_t start = 0;
    Py_ssize_t stop = 0;
    Py_ssize_t step = 0;
    if (PySlice_Unpack(key.ptr(), &start, &stop, &step) != 0) nb::raise_python_error();
    const Py_ssize_t count = PySlice_AdjustIndices(length, &start, &stop, step);
    auto part = std::make_shared<st::nn::Sequential>();
    for (Py_ssize_t i = 0; i < count; ++i) {
      part->append(layers[static_cast<std::size_t>(start + i * step)]);
    }
    return nb::cast(part);
  }
  if (PyLong_Check(key.ptr()) == 0) throw nb::type_error("layers: expected an integer or a slice");
  const auto given = nb::cast<Py_ssize_t>(key);
  const Py_ssize_t i = given < 0 ? given + length : given;
  if (i < 0 || i >= length) {
    st::fail(st::Errc::out_of_range, "Sequential",
             st::text("layer: got ", static_cast<std::int64_t>(given), ", expected one of ",
                      static_cast<std::int64_t>(length)));
  }
  return nb::cast(layers[static_cast<std::size_t>(i)]);
}

std::vector<ModulePtr> layers_of(nb::handle layers) {
  std::vector<ModulePtr> out;
  for (nb::handle layer : layers) {
    if (!nb::isinstance<Module>(layer)) {
      throw nb::type_error("[Sequential] layers: expected a sequence of modules");
    }
    out.push_back(nb::cast<ModulePtr>(layer));
  }
  return out;
}

void bind_sequential(nb::module_& m) {
  using st::nn::Sequential;
  nb::class_<Sequential, Module>(m, "Sequential", nb::is_final(), "Layers one after the other.")
      .def(
          "__init__",
          [](Sequential* self, nb::handle layers) { new (self) Sequential(layers_of(layers)); },
          "layers"_a = nb::make_tuple())
      .def("append", &Sequential::append, "layer"_a, "Adds a layer at the end.")
      .def("__len__", &Sequential::size)
      .def("__bool__", [](const Sequential&) { return true; })
      .def("__getitem__", item, "key"_a)
      .def("__iter__", [](const Sequential& s) {
        nb::list layers;
        for (const auto& layer : s.layers()) layers.append(layer);
        return nb::iter(layers);
      });
}

void bind_activations(nb::module_& m) {
  nb::class_<st::nn::Relu, Module>(m, "Relu", nb::is_final(), "max(x, 0).").def(nb::init<>());
  nb::class_<st::nn::Tanh, Module>(m, "Tanh", nb::is_final(), "Elementwise hyperbolic tangent.")
      .def(nb::init<>());
  nb::class_<st::nn::Sigmoid, Module>(m, "Sigmoid", nb::is_final(), "1/(1 + exp(-x)).")
      .def(nb::init<>());
  nb::class_<st::nn::Softmax, Module>(m, "Softmax", nb::is_final(), "Softmax over each row.")
      .def(nb::init<>());
  nb::class_<st::nn::Gelu, Module>(m, "Gelu", nb::is_final(),
                                   "x·Φ(x); approximate='tanh' for its usual approximation.")
      .def(
          "__init__",
          [](st::nn::Gelu* self, const std::string& approximate) {
            new (self) st::nn::Gelu(gelu_of(approximate));
          },
          "approximate"_a = "none");
}

}  // namespace

void bind_nn_layers(nb::module_& m) {
  bind_linear(m);
  bind_sequential(m);
  bind_activations(m);
}
