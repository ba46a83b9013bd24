#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/nn/activation.hpp>
#include <spiraltorch/nn/embedding.hpp>
#include <spiraltorch/nn/hyperbolic.hpp>
#include <spiraltorch/nn/linear.hpp>
#include <spiraltorch/nn/regularise.hpp>
#include <spiraltorch/nn/sequential.hpp>

#include "nn.hpp"
#include "rank.hpp"

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

void bind_regularisers(nb::module_& m) {
  using st::nn::Dropout;
  using st::nn::LayerNorm;
  nb::class_<Dropout, Module>(m, "Dropout", nb::is_final(),
                              "Drops elements with probability p in training.")
      .def(nb::init<double>(), "p"_a = 0.5)
      .def_prop_ro("p", &Dropout::p);
  nb::class_<LayerNorm, Module>(m, "LayerNorm", nb::is_final(),
                                "Rows to mean 0 and variance 1, then times weight plus bias.")
      .def(
          "__init__",
          [](LayerNorm* self, std::int64_t dim, double eps, std::string name, bool affine) {
            construct_layer(self, dim, eps, std::move(name), st::nn::LayerNormOptions{affine});
          },
          "dim"_a, "eps"_a = 1e-5, "name"_a = "layer_norm", nb::kw_only(), "affine"_a = true)
      .def_prop_ro("weight", &LayerNorm::weight)
      .def_prop_ro("bias", &LayerNorm::bias);
}

// A (nested) sequence of integers: one row, or rows of equal length.
st::IndexTensor integers_of(nb::handle object) {
  if (PySequence_Check(object.ptr()) == 0 || PyUnicode_Check(object.ptr())) {
    throw nb::type_error(
        "[Embedding] input: expected a Tensor, an IndexTensor or a sequence of integers");
  }
  std::vector<std::int64_t> values;
  const auto take = [&values](nb::handle row) {
    for (nb::handle item : row) values.push_back(integer("Embedding", "input", item));
  };
  const auto length = nb::len(object);
  const bool nested = length > 0 && PySequence_Check(nb::object(object[0]).ptr()) != 0;
  if (!nested) {
    take(object);
    return st::IndexTensor::from_values(1, std::ssize(values), values, st::ElementType::i64);
  }
  const auto width = nb::len(nb::object(object[0]));
  for (nb::handle row : object) {
    if (nb::len(row) != width) {
      st::fail(st::Errc::length_mismatch, "Embedding",
               st::text("input: got rows of ", width, " and ", nb::len(row),
                        " numbers, expected equal lengths"));
    }
    take(row);
  }
  return st::IndexTensor::from_values(static_cast<std::int64_t>(length),
                                      static_cast<std::int64_t>(width), values,
                                      st::ElementType::i64);
}

template <class Layer>
st::Tensor look_up(Layer& layer, nb::handle input) {
  if (nb::isinstance<st::Tensor>(input)) {
    const auto& numbers = nb::cast<const st::Tensor&>(input);
    const nb::gil_scoped_release unlock;
    return layer.forward(numbers);
  }
  const st::IndexTensor numbers = nb::isinstance<st::IndexTensor>(input)
                                      ? nb::cast<const st::IndexTensor&>(input)
                                      : integers_of(input);
  const nb::gil_scoped_release unlock;
  return layer.forward(numbers);
}

void bind_embeddings(nb::module_& m) {
  using st::nn::Embedding;
  using st::nn::PoincareEmbedding;
  constexpr const char* kForward =
      "Rows by number, from a Tensor of integers, an IndexTensor or a sequence; L a row stand side "
      "by side.";
  nb::class_<Embedding, Module>(m, "Embedding", nb::is_final(), "Rows of a table by number.")
      .def(
          "__init__",
          [](Embedding* self, std::int64_t count, std::int64_t dim, std::string name) {
            construct_layer(self, count, dim, std::move(name));
          },
          "count"_a, "dim"_a, "name"_a = "embedding")
      .def("forward", look_up<Embedding>, "input"_a, kForward)
      .def_prop_ro("weight", &Embedding::weight);
  nb::class_<PoincareEmbedding, Module>(m, "PoincareEmbedding", nb::is_final(),
                                        "Points of the ball by number.")
      .def(
          "__init__",
          [](PoincareEmbedding* self, std::int64_t count, std::int64_t dim, double curvature,
             double init_radius, std::string name) {
            construct_layer(self, count, dim, curvature, init_radius, std::move(name));
          },
          "count"_a, "dim"_a, "curvature"_a = -1.0, "init_radius"_a = 1e-3,
          "name"_a = "poincare_embedding")
      .def_static("from_pretrained", &PoincareEmbedding::from_pretrained, "points"_a,
                  "curvature"_a = -1.0, "name"_a = "poincare_embedding", Unlocked(),
                  "A table of these points, a copy.")
      .def("forward", look_up<PoincareEmbedding>, "input"_a, kForward)
      .def("distance", &PoincareEmbedding::distance, "i"_a, "j"_a, Unlocked(),
           "Between the points i and j.")
      .def("curvature", &PoincareEmbedding::curvature)
      .def_prop_ro("weight", &PoincareEmbedding::weight);
}

void bind_hyperbolic(nb::module_& m) {
  using st::nn::PoincareLinear;
  using st::nn::PoincareMLR;
  nb::class_<PoincareLinear, Module>(m, "PoincareLinear", nb::is_final(),
                                     "(W ⊗ x) ⊕ b in the ball.")
      .def(
          "__init__",
          [](PoincareLinear* self, std::int64_t in, std::int64_t out, double curvature,
             std::string name, bool bias, double gain) {
            construct_layer(self, in, out, curvature, std::move(name),
                            st::nn::PoincareLinearOptions{bias, gain});
          },
          "input_dim"_a, "output_dim"_a, "curvature"_a = -1.0, "name"_a = "poincare_linear",
          nb::kw_only(), "bias"_a = true, "gain"_a = 1.0)
      .def("curvature", &PoincareLinear::curvature)
      .def_prop_ro("weight", &PoincareLinear::weight)
      .def_prop_ro("bias", &PoincareLinear::bias);
  nb::class_<PoincareMLR, Module>(m, "PoincareMLR", nb::is_final(),
                                  "Logits from signed distances to hyperplanes of the ball.")
      .def(
          "__init__",
          [](PoincareMLR* self, std::int64_t dim, std::int64_t classes, double curvature,
             std::string name, double gain) {
            construct_layer(self, dim, classes, curvature, std::move(name),
                            st::nn::PoincareMLROptions{gain});
          },
          "dim"_a, "classes"_a, "curvature"_a = -1.0, "name"_a = "poincare_mlr", nb::kw_only(),
          "gain"_a = 1.0)
      .def("curvature", &PoincareMLR::curvature)
      .def_prop_ro("weight", &PoincareMLR::weight)
      .def_prop_ro("offset", &PoincareMLR::offset);
}

}  // namespace

void bind_nn_layers(nb::module_& m) {
  bind_linear(m);
  bind_sequential(m);
  bind_activations(m);
  bind_regularisers(m);
  bind_embeddings(m);
  bind_hyperbolic(m);
}
