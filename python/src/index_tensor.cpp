#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <spiraltorch/tensor/index_tensor.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "buffer.hpp"
#include "rank.hpp"

using namespace nb::literals;
using st::IndexTensor;

namespace {

bool is_narrow(const IndexTensor& t) { return t.type() == st::ElementType::i32; }

void* host_data(const IndexTensor& t) {
  void* data = st::host_view(*t.buffer());
  st::require(data != nullptr, st::Errc::device, "exchange",
              "tensor: got one on a device, expected host memory (tolist and data copy)");
  return data;
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const IndexTensor& t = *nb::inst_ptr<IndexTensor>(nb::handle(self));
  void* data = st::host_view(*t.buffer());
  if (data == nullptr) return refuse_buffer(view, "the tensor does not live in host memory");
  static char narrow[] = "i";
  static char wide[] = "q";
  return export_buffer(
      self, view, flags, t,
      {data, t.rows(), t.cols(), is_narrow(t) ? 4 : 8, is_narrow(t) ? narrow : wide, false});
}

PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                       {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer<IndexTensor>)},
                       {0, nullptr}};

template <class T>
nb::object dlpack_of(const IndexTensor& t, const nb::dict& options) {
  const nb::capsule owner(new IndexTensor(t),
                          [](void* p) noexcept { delete static_cast<IndexTensor*>(p); });
  const std::size_t shape[]{static_cast<std::size_t>(t.rows()), static_cast<std::size_t>(t.cols())};
  nb::object array =
      nb::cast(nb::ndarray<nb::array_api, T>(static_cast<T*>(host_data(t)), 2, shape, owner));
  return array.attr("__dlpack__")(**options);
}

nb::object to_dlpack(const IndexTensor& t, const nb::kwargs& options) {
  nb::dict forwarded;
  for (const char* name : {"max_version", "dl_device"}) {
    if (options.contains(name) && !nb::object(options[name]).is_none()) {
      forwarded[name] = options[name];
    }
  }
  return is_narrow(t) ? dlpack_of<std::int32_t>(t, forwarded)
                      : dlpack_of<std::int64_t>(t, forwarded);
}

nb::dict array_interface(const IndexTensor& t) {
  nb::dict d;
  d["shape"] = nb::make_tuple(t.rows(), t.cols());
  d["typestr"] = is_narrow(t) ? "<i4" : "<i8";
  d["data"] = nb::make_tuple(reinterpret_cast<std::uintptr_t>(host_data(t)), false);
  d["strides"] = nb::none();
  d["version"] = 3;
  return d;
}

std::int64_t get_item(const IndexTensor& t, const std::pair<std::int64_t, std::int64_t>& key) {
  return t.at(key.first, key.second);
}

using State = std::tuple<std::int64_t, std::int64_t, std::vector<std::int64_t>, bool>;

State get_state(const IndexTensor& t) { return {t.rows(), t.cols(), t.data(), is_narrow(t)}; }

void set_state(IndexTensor& self, const State& state) {
  const auto& [rows, cols, values, narrow] = state;
  new (&self) IndexTensor(IndexTensor::from_values(
      rows, cols, values, narrow ? st::ElementType::i32 : st::ElementType::i64));
}

}  // namespace

void bind_index_tensor(nb::module_& m) {
  nb::class_<IndexTensor> c(m, "IndexTensor",
                            "A two-dimensional, row-major matrix of integers: columns found by "
                            "rank selection, counts.",
                            nb::type_slots(slots));
  c.def_prop_ro("rows", &IndexTensor::rows, "Number of rows.");
  c.def_prop_ro("cols", &IndexTensor::cols, "Number of columns.");
  c.def_prop_ro(
      "device", [](const IndexTensor& t) { return st::to_text(t.device()); },
      "Where the elements live.");
  c.def_prop_ro("dtype", &IndexTensor::dtype, "int32 or int64.");
  c.def(
      "shape", [](const IndexTensor& t) { return std::pair(t.rows(), t.cols()); }, "(rows, cols).");
  c.def("data", &IndexTensor::data, "Flat row-major list.");
  c.def("tolist", &IndexTensor::tolist, "List of rows.");
  c.def("item", &IndexTensor::item, "The element of a (1, 1) tensor.");
  c.def("__int__", &IndexTensor::item);
  c.def("__len__", &IndexTensor::rows);
  c.def("__getitem__", get_item, "key"_a);
  c.def(
      "to",
      [](const IndexTensor& t, const std::string& device) {
        return t.to(st::resolve_device("to", device));
      },
      "device"_a, "The same tensor on a device.");
  c.def("__repr__", &IndexTensor::repr);
  c.def("__dlpack__", to_dlpack);
  c.def("__dlpack_device__", [](const IndexTensor& t) {
    (void)host_data(t);
    return std::pair(1, 0);  // kDLCPU
  });
  c.def_prop_ro("__array_interface__", array_interface);
  c.def("__getstate__", get_state);
  c.def("__setstate__", set_state);
}
