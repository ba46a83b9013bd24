#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <cstring>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/tensor/tensor.hpp>
#include <tuple>

#include "arrays.hpp"
#include "buffer.hpp"
#include "tensor_parts.hpp"

using namespace nb::literals;
using st::Tensor;

namespace {

// Tracked tensors, and storage that a live graph will read, are shared read-only.
bool is_frozen(const Tensor& t) { return t.requires_grad() || t.is_kept_by_graph(); }

float* host_data(const Tensor& t) {
  void* data = st::host_view(*t.buffer());
  st::require(data != nullptr, st::Errc::device, "exchange",
              "tensor: got one on a device, expected host memory (tolist and data copy)");
  return static_cast<float*>(data);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const Tensor& t = *nb::inst_ptr<Tensor>(nb::handle(self));
  void* data = st::host_view(*t.buffer());
  if (data == nullptr) return refuse_buffer(view, "the tensor does not live in host memory");
  const bool frozen = is_frozen(t);
  if (frozen && (flags & PyBUF_WRITABLE) != 0) {
    return refuse_buffer(view,
                         "the tensor is tracked or kept by a live graph, and so is read-only");
  }
  static char format[] = "f";
  return export_buffer(self, view, flags, t,
                       {data, t.rows(), t.cols(), sizeof(float), format, frozen});
}

PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                       {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer<Tensor>)},
                       {0, nullptr}};

bool expresses_read_only(nb::handle max_version) {
  return !max_version.is_none() && nb::cast<std::pair<int, int>>(max_version).first >= 1;
}

nb::object to_dlpack(const Tensor& t, nb::kwargs options) {
  const auto option = [&](const char* name) {
    return options.contains(name) ? nb::object(options[name]) : nb::none();
  };
  const bool copies = !option("copy").is_none() && nb::cast<bool>(option("copy"));
  const Tensor source = copies ? t.detach().clone() : t;
  const bool frozen = is_frozen(source);
  if (frozen && !expresses_read_only(option("max_version"))) {
    st::fail(st::Errc::graph, "__dlpack__",
             "tensor: got one that is tracked or kept by a live graph, expected a free one for a "
             "consumer without read-only arrays (detach a clone)");
  }
  float* data = host_data(source);
  const nb::capsule owner(new Tensor(source),
                          [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  const std::size_t shape[]{static_cast<std::size_t>(source.rows()),
                            static_cast<std::size_t>(source.cols())};
  nb::dict forwarded;
  for (const char* name : {"max_version", "dl_device"}) {
    if (!option(name).is_none()) forwarded[name] = option(name);
  }
  nb::object array = frozen
                         ? nb::cast(nb::ndarray<nb::array_api, const float>(data, 2, shape, owner))
                         : nb::cast(nb::ndarray<nb::array_api, float>(data, 2, shape, owner));
  return array.attr("__dlpack__")(**forwarded);
}

nb::dict array_interface(const Tensor& t) {
  nb::dict d;
  d["shape"] = nb::make_tuple(t.rows(), t.cols());
  d["typestr"] = "<f4";
  d["data"] = nb::make_tuple(reinterpret_cast<std::uintptr_t>(host_data(t)), is_frozen(t));
  d["strides"] = nb::none();
  d["version"] = 3;
  return d;
}

// Pickled: shape, little-endian float32 bytes and, for leaves, requires_grad.
using State = std::tuple<std::int64_t, std::int64_t, nb::bytes, bool>;

State get_state(const Tensor& t) {
  const auto values = t.data();
  return {t.rows(), t.cols(), nb::bytes(values.data(), values.size() * sizeof(float)),
          t.is_leaf() && t.requires_grad()};
}

void set_state(Tensor& self, const State& state) {
  const auto& [rows, cols, bytes, requires_grad] = state;
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  new (&self) Tensor(rows, cols, std::span<const float>(values),
                     {.requires_grad = requires_grad, .device = {}});
}

}  // namespace

nb::type_slots tensor_slots() { return nb::type_slots(slots); }

void bind_tensor_exchange(nb::class_<Tensor>& c) {
  c.def("__dlpack__", to_dlpack);
  c.def("__dlpack_device__", [](const Tensor& t) {
    (void)host_data(t);
    return std::pair(1, 0);  // kDLCPU
  });
  c.def_prop_ro("__array_interface__", array_interface);
  c.def("__getstate__", get_state);
  c.def("__setstate__", set_state);
  c.def("__copy__", [](const Tensor& t) { return t; });
  c.def(
      "__deepcopy__",
      [](const Tensor& t, nb::handle) {
        Tensor out = t.detach().clone();
        if (t.is_leaf() && t.requires_grad()) out.requires_grad_();
        return out;
      },
      "memo"_a);
}
