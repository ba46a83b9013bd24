#include <nanobind/ndarray.h>
#include <nanobind/stl/complex.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <complex>
#include <cstring>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <spiraltorch/tensor/complex_tensor.hpp>
#include <tuple>

#include "arrays.hpp"
#include "buffer.hpp"
#include "tensor_parts.hpp"

using namespace nb::literals;
using st::ComplexTensor;
using Complex = std::complex<float>;

namespace {

std::optional<ComplexTensor> try_complex(nb::handle object) {
  ComplexTensor* z = nullptr;
  if (nb::try_cast(object, z, false) && z != nullptr) return *z;
  PyErr_Clear();
  st::Tensor* x = nullptr;
  if (nb::try_cast(object, x, false) && x != nullptr) {
    return ComplexTensor::from_parts(*x, st::Tensor(x->rows(), x->cols()));
  }
  PyErr_Clear();
  if (!PyComplex_Check(object.ptr()) && !PyFloat_Check(object.ptr()) &&
      !PyLong_Check(object.ptr())) {
    return {};
  }
  const auto value = nb::cast<std::complex<double>>(object);
  const std::vector<Complex> one{Complex(value)};
  return ComplexTensor(1, 1, one);
}

template <class F>
nb::object binary(const ComplexTensor& self, nb::handle other, F f) {
  const auto operand = try_complex(other);
  if (!operand) return nb::borrow(nb::handle(Py_NotImplemented));
  return nb::cast(f(self, *operand));
}

void construct(ComplexTensor* self, std::int64_t rows, std::int64_t cols, nb::handle data,
               const std::optional<std::string>& device) {
  const st::DeviceId home = new_device("ComplexTensor", device);
  if (data.is_none()) {
    new (self) ComplexTensor(rows, cols, home);
    return;
  }
  st::check_shape("ComplexTensor", rows, cols);
  const auto values = complex_numbers("ComplexTensor", data, rows * cols);
  new (self) ComplexTensor(rows, cols, values, home);
}

nb::object get(const ComplexTensor& z, nb::handle key) {
  const auto [rows, cols] = read_key(key, z.shape());
  if (rows.is_number && cols.is_number) {
    return nb::cast(z.at(*rows.slice.start, *cols.slice.start));
  }
  return nb::cast(z.slice(rows.slice, cols.slice));
}

void set(ComplexTensor& z, nb::handle key, nb::handle value) {
  const auto [rows, cols] = read_key(key, z.shape());
  const auto operand = try_complex(value);
  if (!operand) throw nb::type_error("[index] value: expected a complex tensor or number");
  z.assign(rows.slice, cols.slice, *operand);
}

nb::object export_array(const ComplexTensor& z) {
  const nb::capsule owner(new ComplexTensor(z),
                          [](void* p) noexcept { delete static_cast<ComplexTensor*>(p); });
  void* data = st::host_view(*z.storage().buffer());
  st::require(data != nullptr, st::Errc::device, "exchange",
              "tensor: got one on a device, expected host memory (tolist and data copy)");
  const std::size_t shape[]{static_cast<std::size_t>(z.rows()), static_cast<std::size_t>(z.cols())};
  return nb::cast(
      nb::ndarray<nb::array_api, Complex>(static_cast<Complex*>(data), 2, shape, owner));
}

nb::dict array_interface(const ComplexTensor& z) {
  nb::dict d;
  d["shape"] = nb::make_tuple(z.rows(), z.cols());
  d["typestr"] = "<c8";
  d["data"] =
      nb::make_tuple(reinterpret_cast<std::uintptr_t>(st::host_view(*z.storage().buffer())), false);
  d["strides"] = nb::none();
  d["version"] = 3;
  return d;
}

using State = std::tuple<std::int64_t, std::int64_t, nb::bytes>;

State get_state(const ComplexTensor& z) {
  const auto values = z.data();
  return {z.rows(), z.cols(), nb::bytes(values.data(), values.size() * sizeof(Complex))};
}

void set_state(ComplexTensor& self, const State& state) {
  const auto& [rows, cols, bytes] = state;
  std::vector<Complex> values(bytes.size() / sizeof(Complex));
  std::memcpy(static_cast<void*>(values.data()), bytes.data(), values.size() * sizeof(Complex));
  new (&self) ComplexTensor(rows, cols, values);
}

// Aligned, C-contiguous, writable complex64 is shared; all else goes through its elements.
ComplexTensor from_array(nb::handle object, nb::handle copy) {
  using Array = nb::ndarray<Complex, nb::c_contig, nb::device::cpu>;
  const CopyPolicy policy = copy_policy(copy);
  Array shared;
  if (policy != CopyPolicy::always && nb::try_cast(object, shared, false) && shared.ndim() <= 2) {
    const std::size_t cols = shared.ndim() >= 1 ? shared.shape(shared.ndim() - 1) : 1;
    const std::size_t rows = shared.ndim() == 2 ? shared.shape(0) : 1;
    st::check_shape("from_array", static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols));
    auto* data = reinterpret_cast<float*>(shared.data());
    return ComplexTensor::adopt(st::Tensor::adopt(data, static_cast<std::int64_t>(rows),
                                                  2 * static_cast<std::int64_t>(cols),
                                                  keep_alive(shared)));
  }
  PyErr_Clear();
  st::require(policy != CopyPolicy::never, st::Errc::no_copy, "from_array",
              "copy=False: got another type, layout or read-only memory, expected aligned, "
              "C-contiguous, writable complex64 in host memory");
  const nb::object list =
      nb::hasattr(object, "tolist") ? nb::object(object.attr("tolist")()) : nb::borrow(object);
  if (PySequence_Check(list.ptr()) == 0)
    return ComplexTensor(1, 1, complex_numbers("from_array", nb::make_tuple(list), 1));
  const auto count = static_cast<std::int64_t>(nb::len(list));
  const bool nested = count > 0 && PySequence_Check(nb::object(list[0]).ptr()) != 0;
  if (!nested) return ComplexTensor(1, count, complex_numbers("from_array", list, count));
  std::vector<Complex> values;
  const auto cols = static_cast<std::int64_t>(nb::len(nb::object(list[0])));
  for (nb::handle row : list) {
    const auto part = complex_numbers("from_array", row, cols);
    values.insert(values.end(), part.begin(), part.end());
  }
  return ComplexTensor(count, cols, values);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const ComplexTensor& z = *nb::inst_ptr<ComplexTensor>(nb::handle(self));
  void* data = st::host_view(*z.storage().buffer());
  if (data == nullptr) return refuse_buffer(view, "the tensor does not live in host memory");
  static char format[] = "Zf";
  return export_buffer(self, view, flags, z,
                       {data, z.rows(), z.cols(), sizeof(Complex), format, false});
}

PyType_Slot slots[] = {
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer<ComplexTensor>)},
    {0, nullptr}};

void bind_exchange(nb::class_<ComplexTensor>& c) {
  c.def_static(
      "from_array", from_array, "obj"_a, "copy"_a = nb::none(),
      "A complex array, shared where it is aligned, C-contiguous, writable complex64, or a "
      "sequence.");
  c.def("__getstate__", get_state);
  c.def("__setstate__", set_state);
  c.def("__copy__", [](const ComplexTensor& z) { return z; });
  c.def(
      "__deepcopy__", [](const ComplexTensor& z, nb::handle) { return z.clone(); }, "memo"_a);
  c.def("__dlpack__", [](const ComplexTensor& z, nb::kwargs options) {
    return export_array(z).attr("__dlpack__")(**options);
  });
  c.def("__dlpack_device__", [](const ComplexTensor&) { return std::pair(1, 0); });
  c.def_prop_ro("__array_interface__", array_interface);
}

void bind_arithmetic(nb::class_<ComplexTensor>& c) {
  const auto def = [&c](const char* name,
                        ComplexTensor (*f)(const ComplexTensor&, const ComplexTensor&)) {
    c.def(
        name, [f](const ComplexTensor& a, nb::handle b) { return binary(a, b, f); },
        nb::is_operator());
  };
  def("__add__", [](const ComplexTensor& a, const ComplexTensor& b) { return a.add(b); });
  def("__radd__", [](const ComplexTensor& a, const ComplexTensor& b) { return b.add(a); });
  def("__sub__", [](const ComplexTensor& a, const ComplexTensor& b) { return a.sub(b); });
  def("__rsub__", [](const ComplexTensor& a, const ComplexTensor& b) { return b.sub(a); });
  def("__mul__", [](const ComplexTensor& a, const ComplexTensor& b) { return a.mul(b); });
  def("__rmul__", [](const ComplexTensor& a, const ComplexTensor& b) { return b.mul(a); });
  def("__matmul__", [](const ComplexTensor& a, const ComplexTensor& b) { return a.matmul(b); });
  c.def(
      "matmul",
      [](const ComplexTensor& a, nb::handle b) {
        const auto operand = try_complex(b);
        if (!operand) throw nb::type_error("[matmul] other: expected a complex or real tensor");
        return a.matmul(*operand);
      },
      "other"_a, "Matrix product, without conjugation.");
}

}  // namespace

void bind_complex_tensor(nb::module_& m) {
  auto c = nb::class_<ComplexTensor>(
      m, "ComplexTensor", nb::type_slots(slots),
      "A two-dimensional, row-major complex64 matrix; not differentiable.");
  c.def("__init__", construct, "rows"_a, "cols"_a, "data"_a = nb::none(), nb::kw_only(),
        "device"_a = nb::none(), "Zeros, or rows·cols complex numbers or (re, im) pairs.");
  c.def_static("from_tensor", &ComplexTensor::from_tensor, "tensor"_a,
               "From re, im interleaved: (r, 2c) to (r, c).");
  c.def_prop_ro("rows", &ComplexTensor::rows, "Number of rows.");
  c.def_prop_ro("cols", &ComplexTensor::cols, "Number of columns.");
  c.def_prop_ro(
      "device", [](const ComplexTensor& z) { return st::to_text(z.device()); },
      "Where the tensor lives.");
  c.def(
      "shape", [](const ComplexTensor& z) { return std::pair(z.rows(), z.cols()); },
      "(rows, cols).");
  c.def("data", &ComplexTensor::data, "Flat row-major list of complex numbers.");
  c.def("tolist", &ComplexTensor::tolist, "List of rows.");
  c.def("clone", &ComplexTensor::clone, "A copy with its own storage.");
  c.def(
      "to", [](const ComplexTensor& z, const char* d) { return z.to(st::resolve_device("to", d)); },
      "device"_a, "The tensor itself if it is there already, else a copy on the device.");
  c.def("conj", &ComplexTensor::conj, "Complex conjugates.");
  c.def("real", &ComplexTensor::real, "Real parts.");
  c.def("imag", &ComplexTensor::imag, "Imaginary parts.");
  c.def("abs", &ComplexTensor::abs, "Moduli.");
  c.def("angle", &ComplexTensor::angle, "Arguments.");
  c.def("to_tensor", &ComplexTensor::to_tensor, "(r, 2c) with re, im interleaved.");
  c.def("__len__", &ComplexTensor::rows);
  c.def("__repr__", &ComplexTensor::repr);
  c.def("__getitem__", get, "key"_a);
  c.def("__setitem__", set, "key"_a, "value"_a);
  bind_arithmetic(c);
  bind_exchange(c);
}
