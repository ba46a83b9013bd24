#include <spiraltorch/data/sources.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arrow_stream.hpp"
#include "dataset.hpp"

using namespace nb::literals;

namespace {

// An iterator's batches are gone once drawn, though it may export further, empty streams.
PyDataLoader from_iterator(nb::handle source, const std::vector<st::dataset::Column>& inputs,
                           const std::vector<st::dataset::Column>& targets) {
  ArrowArrayStream stream = export_arrow_stream("from_arrow", source);
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
    *out = export_arrow_stream("from_arrow", object);
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
