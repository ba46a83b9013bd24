#include "nn.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>
#include <nanobind/trampoline.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <string>

#include "arrays.hpp"

using namespace nb::literals;
using st::Tensor;
using st::nn::Module;
using st::nn::Parameter;

namespace {

// A module whose forward is written in Python.
class PyModule final : public Module {
 public:
  NB_TRAMPOLINE(Module);

  Tensor forward(const Tensor& input) override {
    const nb::gil_scoped_acquire lock;
    const nb::object out = nb_trampoline.base().attr("forward")(input);
    Tensor* tensor = nullptr;
    if (nb::try_cast(out, tensor, false) && tensor != nullptr) return *tensor;
    throw nb::type_error("[forward] result: expected a Tensor");
  }

  [[nodiscard]] std::string repr() const override {
    const nb::gil_scoped_acquire lock;
    return nb::cast<std::string>(nb::repr(nb_trampoline.base()));
  }

  [[nodiscard]] std::string own_repr() const { return Module::repr(); }

 protected:
  [[nodiscard]] std::string type_name() const override {
    const nb::gil_scoped_acquire lock;
    return nb::cast<std::string>(nb::handle(nb_trampoline.base().type()).attr("__name__"));
  }
};

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  for (Module* child : nb::inst_ptr<Module>(self)->exclusive_children()) {
    const nb::handle object = nb::find(child);
    Py_VISIT(object.ptr());
  }
  return 0;
}

int clear(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<Module>(self)->clear_parts();
  return 0;
}

PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                       {Py_tp_clear, reinterpret_cast<void*>(clear)},
                       {0, nullptr}};

void set_plain(nb::handle self, nb::handle name, nb::handle value) {
  if (PyObject_GenericSetAttr(self.ptr(), name.ptr(), value.ptr()) != 0) nb::raise_python_error();
}

// Parameters and modules among a Python class' attributes register themselves.
void set_attribute(nb::handle self, nb::handle name, nb::handle value) {
  const bool is_parameter = nb::isinstance<Parameter>(value);
  const bool is_part = is_parameter || nb::isinstance<Module>(value);
  if (!nb::inst_ready(self)) {
    if (is_part) throw nb::type_error("[Module] attribute: expected super().__init__() before it");
    return set_plain(self, name, value);
  }
  auto& module = *nb::inst_ptr<Module>(self);
  const auto key = nb::cast<std::string>(name);
  if (!is_part) {
    set_plain(self, name, value);
    module.unregister(key);
    return;
  }
  if (is_parameter) {
    module.register_parameter(key, nb::cast<const Parameter&>(value));
  } else {
    module.register_module(key, nb::cast<std::shared_ptr<Module>>(value));
  }
  try {
    set_plain(self, name, value);
  } catch (...) {
    module.unregister(key);
    throw;
  }
}

void delete_attribute(nb::handle self, nb::handle name) {
  set_plain(self, name, nb::handle());
  if (nb::inst_ready(self)) nb::inst_ptr<Module>(self)->unregister(nb::cast<std::string>(name));
}

void bind_parameter(nb::module_& m) {
  nb::class_<st::Euclidean>(m, "Euclidean", "Flat space, as a parameter's manifold.")
      .def(nb::init<>())
      .def("__repr__", [](const st::Euclidean& e) { return st::to_text(st::Manifold(e)); })
      .def(
          "__eq__", [](const st::Euclidean&, const st::Euclidean&) { return true; },
          nb::is_operator())
      .def("__hash__", [](const st::Euclidean&) { return 0; });
  nb::class_<Parameter, Tensor>(m, "Parameter", nb::is_final(),
                                "A leaf tensor that knows its manifold and may have a tape.")
      .def(nb::init<const Tensor&, const st::Manifold&, bool>(), "tensor"_a,
           "manifold"_a = st::Manifold(st::Euclidean()), "requires_grad"_a = true)
      .def_prop_ro("manifold", &Parameter::manifold, "Euclidean() or a PoincareBall.")
      .def_prop_ro("tape", &Parameter::tape, "The tape that takes gradients, or None.")
      .def("attach_tape", &Parameter::attach_tape, "tape"_a,
           "Gradients go to the tape from now on; drops gradient and former tape.")
      .def("detach_tape", &Parameter::detach_tape, "Gradients go into grad again.")
      .def("__repr__", &Parameter::repr);
}

void load_state(Module& module, const nb::dict& state, bool strict) {
  st::nn::StateDict values;
  for (const auto& [name, value] : state) {
    Tensor* tensor = nullptr;
    if (!PyUnicode_Check(name.ptr()) || !nb::try_cast(value, tensor, false) || tensor == nullptr) {
      throw nb::type_error("[load_state_dict] state: expected a dict of str to Tensor");
    }
    values.emplace_back(nb::cast<std::string>(name), *tensor);
  }
  const nb::gil_scoped_release unlock;
  module.load_state_dict(values, strict);
}

nb::dict state_of(const Module& module) {
  nb::dict out;
  for (const auto& [name, value] : module.state_dict()) out[nb::str(name.c_str())] = value;
  return out;
}

// This module, then those below it; shared ones once.
nb::list all_modules(nb::handle self) {
  nb::list out;
  out.append(self);
  for (const auto& module : nb::cast<const Module&>(self).descendants()) out.append(module);
  return out;
}

Tensor forward(Module& module, const Tensor& input) {
  st::require(dynamic_cast<PyModule*>(&module) == nullptr, st::Errc::unsupported, "forward",
              "class: got one without forward, expected it to define forward(input)");
  const nb::gil_scoped_release unlock;
  return module.forward(input);
}

void bind_parts(nb::class_<Module, PyModule>& c) {
  c.def("parameters", &Module::parameters, "Every parameter once, in definition order.");
  c.def("named_parameters", &Module::named_parameters, "(name, parameter) pairs.");
  c.def("children", &Module::children, "Direct parts that are modules.");
  c.def("modules", all_modules, "This module and all below it.");
  c.def_prop_ro("training", &Module::training, "Whether in training mode.");
  c.def("zero_grad", &Module::zero_grad, "Drops all gradients; empties tapes.");
  c.def("state_dict", state_of, "Copies of the parameters by name.");
  c.def("load_state_dict", load_state, "state"_a, "strict"_a = true,
        "Copies values in by name, after all checks; strict wants exactly the own names.");
  c.def(
      "save",
      [](const Module& module, nb::handle path) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        module.save(file);
      },
      "path"_a, "Writes the parameters as safetensors, atomically.");
  c.def(
      "load",
      [](Module& module, nb::handle path, bool strict, bool cast) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        module.load(file, strict, cast);
      },
      "path"_a, "strict"_a = true, "cast"_a = false,
      "Reads safetensors with the right names, after all checks; cast rounds other float types.");
  c.def("__setattr__", set_attribute, "name"_a, "value"_a.none());
  c.def("__delattr__", delete_attribute, "name"_a);
}

void bind_module_class(nb::module_& m) {
  nb::class_<Module, PyModule> c(
      m, "Module", nb::type_slots(slots),
      "A differentiable map with parameters. A class derived from it calls super().__init__() "
      "first and defines forward; attributes that are parameters or modules register themselves.");
  c.def(nb::init<>());
  c.def("forward", forward, "input"_a, "The map.");
  c.def("__call__", [](nb::handle self, const nb::args& args, const nb::kwargs& kwargs) {
    return self.attr("forward")(*args, **kwargs);
  });
  c.def(
      "train",
      [](nb::handle self, bool mode) {
        nb::cast<Module&>(self).train(mode);
        return nb::borrow(self);
      },
      "mode"_a = true, "Sets the mode here and below; returns the module.");
  c.def(
      "eval",
      [](nb::handle self) {
        nb::cast<Module&>(self).eval();
        return nb::borrow(self);
      },
      "train(False).");
  c.def("backward", &Module::backward, "input"_a, "grad_output"_a, Unlocked(),
        "Forward, then the vector-Jacobian product: accumulates the parameters' gradients, returns "
        "the input's.");
  c.def("__repr__", [](const Module& module) {
    const auto* own = dynamic_cast<const PyModule*>(&module);
    return own == nullptr ? module.repr() : own->own_repr();
  });
  bind_parts(c);
}

}  // namespace

void place_parameters(Module& module) {
  const st::DeviceId device = new_device("nn", {});
  for (Parameter& parameter : module.parameters()) parameter.move_to(device);
}

void bind_nn(nb::module_& m) {
  bind_parameter(m);
  bind_module_class(m);
  bind_nn_layers(m);
  bind_nn_losses(m);
}
