#include <spiraltorch/data/sources.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dataset.hpp"

using namespace nb::literals;

namespace {

// Moves the stream of `source.__arrow_c_stream__()` to `out`.
void export_stream(nb::handle source, ArrowArrayStream* out) {
  const nb::object capsule = source.attr("__arrow_c_stream__")();
  auto* stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (stream == nullptr) nb::raise_python_error();
  *out = *stream;
  stream->release = nullptr;
}

// An iterator's batches are gone once drawn, though it may export further, empty streams.
PyDataLoader from_iterator(nb::handle source, const std::vector<st::dataset::Column>& inputs,
                           const std::vector<st::dataset::Column>& targets) {
  ArrowArrayStream stream{};
  export_stream(source, &stream);
  const nb::gil_scoped_release unlock;
  try {
    return {st::dataset::from_arrow(&stream, inputs, targets)};
  } catch (...) {
    if (stream.release != nullptr) stream.release(&stream);
    throw;
  }
}

PyDataLoader from_arrow(nb::handle source, nb::handle inputs, nb::handle targets) {
  if (!nb::hasattr(source, "__arrow_c_stream__")) {
    throw nb::type_error("[from_arrow] source: expected an object with __arrow_c_stream__");
  }
  const auto x = columns_of("from_arrow", "inputs", inputs);
  const auto y = columns_of("from_arrow", "targets", targets);
  if (nb::hasattr(source, "__next__")) return from_iterator(source, x, y);
  const CalledObject called(nb::borrow(source));
  auto open = [slot = called.slot()](ArrowArrayStream* out) {
    const nb::gil_scoped_acquire lock;
    const nb::object object = nb::borrow(slot->object);
    if (!object.is_valid()) {
      throw std::runtime_error("[from_arrow] source: got one whose loaders are gone");
    }
    export_stream(object, out);
  };
  const auto make = [&] {
    const nb::gil_scoped_release unlock;
    return st::dataset::from_arrow(std::move(open), x, y);
  };
  return {make(), {called}};
}

}  // namespace

void bind_dataset_arrow(nb::module_& m) {
  m.def("from_arrow", from_arrow, "source"_a, "inputs"_a, "targets"_a,
        "Columns of any object with __arrow_c_stream__, by name or index: numbers, bool, "
        "fixed-size lists. A new stream each epoch, of unknown length.");
}
