#pragma once

#include <nanobind/nanobind.h>

namespace spiraltorch {}
namespace nb = nanobind;
namespace st = spiraltorch;

// One function a topic, called in module.cpp.
void bind_errors(nb::module_& m);
void bind_runtime(nb::module_& m);
void bind_device(nb::module_& m);
void bind_tensor(nb::module_& m);
void bind_complex_tensor(nb::module_& m);
void bind_geometry(nb::module_& m);
void bind_lorentz(nb::module_& m);
void bind_zspace(nb::module_& m);
void bind_trace(nb::module_& m);
void bind_session(nb::module_& m);
void bind_embed(nb::module_& m);
void bind_hierarchy(nb::module_& m);
void bind_rank(nb::module_& m);
void bind_sot(nb::module_& m);
void bind_dataset(nb::module_& m);
void bind_dataset_arrow(nb::module_& m);
void bind_nn(nb::module_& m);
void bind_train(nb::module_& m);
void bind_optim(nb::module_& m);
void bind_dataset_files(nb::module_& m);

/// For functions that compute and touch no Python object.
using Unlocked = nb::call_guard<nb::gil_scoped_release>;
