#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/philox.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/base/warning.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <spiraltorch/runtime/parallel.hpp>
#include <spiraltorch/tensor/autograd.hpp>
#include <string>
#include <vector>

#include "bind.hpp"
#include "rank.hpp"

using namespace nb::literals;

namespace {

void python_warning(std::string_view message) {
  const nb::gil_scoped_acquire lock;
  const std::string text(message);
  // With warnings turned into errors, the exception travels to the caller.
  if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) != 0) nb::raise_python_error();
}

}  // namespace

void bind_runtime(nb::module_& m) {
  st::set_warning_handler(python_warning);
  m.def(
      "backends",
      [] {
        std::vector<std::string> names;
        for (const auto& b : st::backends()) names.emplace_back(b.name);
        return names;
      },
      "Names of the back ends this build contains.");
  m.def(
      "manual_seed", [](nb::int_ seed) { st::manual_seed(word("manual_seed", "seed", seed)); },
      "seed"_a, "Resets the process-wide random numbers to `seed`, 0 <= seed < 2**64.");
  m.def(
      "rng_state",
      [] {
        const st::PhiloxState state = st::rng_state();
        return nb::make_tuple(state.seed, state.block);
      },
      "(seed, next block) of the process-wide random numbers.");
  m.def(
      "set_rng_state",
      [](nb::handle state) {
        if (PyTuple_Check(state.ptr()) == 0 || nb::len(state) != 2) {
          throw nb::type_error("[set_rng_state] state: expected a tuple (seed, block)");
        }
        st::set_rng_state(
            {word("set_rng_state", "state", state[0]), word("set_rng_state", "state", state[1])});
      },
      "state"_a, "Brings the random numbers where rng_state() was.");
  m.def("set_strict", st::set_strict, "strict"_a,
        "Whether an absent device is an error instead of the CPU with a warning.");
  m.def("is_strict", st::is_strict, "Whether an absent device is an error.");
  m.def("num_threads", st::thread_count, "Host threads that computations use.");
  m.def("set_num_threads", st::set_thread_count, "count"_a,
        "Sets the number of host threads, 1 to 1024.");
  m.def("is_grad_enabled", st::grad_enabled, "Whether operations on tracked tensors are recorded.");
  m.def("_set_grad_enabled", st::set_grad_enabled, "enabled"_a);
}
