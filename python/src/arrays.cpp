#include "arrays.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <string>
#include <utility>

namespace {

using AnyArray = nb::ndarray<nb::ro>;
using FloatArray = nb::ndarray<float, nb::c_contig, nb::device::cpu>;

std::string class_name(nb::handle object) {
  return nb::cast<std::string>(
      nb::handle(reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()))).attr("__name__"));
}

[[noreturn]] void fail_dtype(const char* op, const std::string& got) {
  st::fail(st::Errc::dtype, op, st::text("elements: got ", got, ", expected real numbers"));
}

float half_to_float(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const int mantissa = h & 1023;
  const float sign = (h >> 15) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return mantissa == 0 ? sign * HUGE_VALF : std::numeric_limits<float>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

template <class T>
double read_as(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

// One element of any real DLPack type.
using Read = double (*)(const char*);
Read reader(const nb::dlpack::dtype& type) {
  using Code = nb::dlpack::dtype_code;
  const auto is = [&](Code code, int bits) {
    return type.code == static_cast<std::uint8_t>(code) && type.bits == bits && type.lanes == 1;
  };
  if (is(Code::Float, 32)) return read_as<float>;
  if (is(Code::Float, 64)) return read_as<double>;
  if (is(Code::Float, 16)) {
    return [](const char* at) {
      std::uint16_t bits;
      std::memcpy(&bits, at, sizeof bits);
      return static_cast<double>(half_to_float(bits));
    };
  }
  if (is(Code::Bfloat, 16)) {
    return [](const char* at) {
      std::uint16_t bits;
      std::memcpy(&bits, at, sizeof bits);
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
    };
  }
  if (is(Code::Int, 8)) return read_as<std::int8_t>;
  if (is(Code::Int, 16)) return read_as<std::int16_t>;
  if (is(Code::Int, 32)) return read_as<std::int32_t>;
  if (is(Code::Int, 64)) return read_as<std::int64_t>;
  if (is(Code::UInt, 8) || is(Code::Bool, 8)) return read_as<std::uint8_t>;
  if (is(Code::UInt, 16)) return read_as<std::uint16_t>;
  if (is(Code::UInt, 32)) return read_as<std::uint32_t>;
  if (is(Code::UInt, 64)) return read_as<std::uint64_t>;
  return nullptr;
}

// A foreign array as this library sees it; strides in bytes.
struct View {
  const char* data;
  std::int64_t rows, cols;
  std::int64_t row_stride, col_stride;
  Read read;
};

View view_of(const char* op, const AnyArray& array) {
  if (array.ndim() > 2) {
    st::fail(st::Errc::invalid_shape, op,
             st::text("axes: got ", array.ndim(), ", expected at most 2"));
  }
  if (array.device_type() != nb::device::cpu::value) {
    st::fail(
        st::Errc::device, op,
        st::text("array: got one on device type ", array.device_type(), ", expected host memory"));
  }
  const Read read = reader(array.dtype());
  if (read == nullptr) {
    fail_dtype(
        op, st::text("DLPack type code ", array.dtype().code, " of ", array.dtype().bits, " bits"));
  }
  const auto size = static_cast<std::int64_t>(array.itemsize());
  View v{static_cast<const char*>(array.data()), 1, 1, 0, 0, read};
  if (array.ndim() >= 1) {
    v.cols = static_cast<std::int64_t>(array.shape(array.ndim() - 1));
    v.col_stride = array.stride(array.ndim() - 1) * size;
  }
  if (array.ndim() == 2) {
    v.rows = static_cast<std::int64_t>(array.shape(0));
    v.row_stride = array.stride(0) * size;
  }
  return v;
}

std::vector<double> values_of(const View& v) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(v.rows * v.cols));
  for (std::int64_t i = 0; i < v.rows; ++i) {
    for (std::int64_t j = 0; j < v.cols; ++j) {
      out.push_back(v.read(v.data + i * v.row_stride + j * v.col_stride));
    }
  }
  return out;
}

// The array interface (version 3) of objects that offer neither DLPack nor a buffer.
struct InterfaceArray {
  nb::object owner;
  View view;
  bool shareable;
};

std::optional<InterfaceArray> try_interface(const char* op, nb::handle object) {
  if (!nb::hasattr(object, "__array_interface__")) return {};
  const nb::dict d = nb::cast<nb::dict>(object.attr("__array_interface__"));
  const auto type = nb::cast<std::string>(d["typestr"]);
  const nb::tuple shape = nb::cast<nb::tuple>(d["shape"]);
  if (shape.size() > 2) {
    st::fail(st::Errc::invalid_shape, op,
             st::text("axes: got ", shape.size(), ", expected at most 2"));
  }
  nb::dlpack::dtype dtype{};
  using Code = nb::dlpack::dtype_code;
  const char kind = type.size() >= 3 && type[0] != '>' ? type[1] : '?';
  const int bytes = type.size() >= 3 ? std::atoi(type.c_str() + 2) : 0;
  dtype.lanes = 1;
  dtype.bits = static_cast<std::uint8_t>(8 * bytes);
  dtype.code = static_cast<std::uint8_t>(kind == 'f'   ? Code::Float
                                         : kind == 'i' ? Code::Int
                                         : kind == 'u' ? Code::UInt
                                         : kind == 'b' ? Code::Bool
                                                       : Code::Complex);
  const Read read = reader(dtype);
  // Real numbers of another byte order or width: through their list.
  if (read == nullptr &&
      std::string_view("fiu").find(type.size() > 1 ? type[1] : '?') != std::string_view::npos) {
    return {};
  }
  if (read == nullptr) fail_dtype(op, st::text("type '", type, "'"));
  const nb::tuple data = nb::cast<nb::tuple>(d["data"]);
  View v{reinterpret_cast<const char*>(nb::cast<std::uintptr_t>(data[0])), 1, 1, 0, bytes, read};
  if (shape.size() >= 1) v.cols = nb::cast<std::int64_t>(shape[shape.size() - 1]);
  if (shape.size() == 2) v.rows = nb::cast<std::int64_t>(shape[0]);
  v.row_stride = v.cols * bytes;
  bool contiguous = true;
  if (d.contains("strides") && !d["strides"].is_none()) {
    const nb::tuple strides = nb::cast<nb::tuple>(d["strides"]);
    if (shape.size() >= 1) v.col_stride = nb::cast<std::int64_t>(strides[shape.size() - 1]);
    if (shape.size() == 2) v.row_stride = nb::cast<std::int64_t>(strides[0]);
    contiguous = v.col_stride == bytes && (shape.size() < 2 || v.row_stride == v.cols * bytes);
  }
  const bool writable = !nb::cast<bool>(data[1]);
  const bool aligned = reinterpret_cast<std::uintptr_t>(v.data) % alignof(float) == 0;
  return InterfaceArray{nb::borrow(object), v,
                        kind == 'f' && bytes == 4 && contiguous && writable && aligned};
}

st::Tensor from_view(const View& v) {
  st::check_shape("from_array", v.rows, v.cols);
  const auto values = values_of(v);
  return {v.rows, v.cols, std::span<const double>(values)};
}

[[noreturn]] void fail_no_copy(const char* what) {
  st::fail(st::Errc::no_copy, "from_array",
           st::text("copy=False: got ", what,
                    ", expected aligned, C-contiguous, writable float32 in host memory"));
}

bool is_sequence(nb::handle object) {
  return PySequence_Check(object.ptr()) != 0 && !PyUnicode_Check(object.ptr()) &&
         !PyBytes_Check(object.ptr()) && !PyDict_Check(object.ptr());
}

[[noreturn]] void fail_type(const char* op, nb::handle object, const char* expected) {
  throw nb::type_error(
      st::text("[", op, "] argument: got ", class_name(object), ", expected ", expected).c_str());
}

st::Tensor from_sequence(nb::handle object) {
  if (PyFloat_Check(object.ptr()) || PyLong_Check(object.ptr())) {
    const double value = number("from_array", object);
    return {1, 1, std::span<const double>(&value, 1)};
  }
  if (!is_sequence(object)) fail_type("from_array", object, "an array or a sequence of numbers");
  const auto count = static_cast<std::int64_t>(nb::len(object));
  if (count > 0 && is_sequence(object[0])) {
    std::vector<std::vector<double>> rows;
    for (nb::handle row : object) rows.push_back(numbers("from_array", row));
    return st::Tensor::from_rows(rows);
  }
  const auto flat = numbers("from_array", object);
  return {1, count, std::span<const double>(flat)};
}

}  // namespace

CopyPolicy copy_policy(nb::handle copy) {
  if (copy.is_none()) return CopyPolicy::if_needed;
  return nb::cast<bool>(copy) ? CopyPolicy::always : CopyPolicy::never;
}

st::Tensor import_array(nb::handle object, CopyPolicy copy, bool only_dlpack) {
  if (only_dlpack && !nb::hasattr(object, "__dlpack__")) {
    fail_type("from_dlpack", object, "an object with __dlpack__");
  }
  FloatArray shared;
  if (copy != CopyPolicy::always && nb::try_cast(object, shared, false) && shared.ndim() <= 2 &&
      reinterpret_cast<std::uintptr_t>(shared.data()) % alignof(float) == 0) {
    const View v = view_of("from_array", AnyArray(shared));
    float* data = shared.data();
    return st::Tensor::adopt(data, v.rows, v.cols, keep_alive(shared));
  }
  AnyArray any;
  if (nb::try_cast(object, any, false)) {
    const View v = view_of("from_array", any);
    if (copy == CopyPolicy::never) fail_no_copy("another type, layout or read-only memory");
    return from_view(v);
  }
  PyErr_Clear();
  if (const auto found = try_interface("from_array", object)) {
    if (found->shareable && copy != CopyPolicy::always) {
      auto* data = reinterpret_cast<float*>(const_cast<char*>(found->view.data));
      return st::Tensor::adopt(data, found->view.rows, found->view.cols, keep_alive(found->owner));
    }
    if (copy == CopyPolicy::never) fail_no_copy("another type, layout or read-only memory");
    return from_view(found->view);
  }
  if (copy == CopyPolicy::never) fail_no_copy("a sequence");
  if (nb::hasattr(object, "tolist") && nb::hasattr(object, "__array_interface__")) {
    return from_sequence(nb::object(object.attr("tolist")()));
  }
  return from_sequence(object);
}

std::string path_of(nb::handle path) {
  const nb::object name = nb::steal(PyOS_FSPath(path.ptr()));
  if (!name.is_valid()) nb::raise_python_error();
  const nb::object bytes =
      nb::steal(PyUnicode_Check(name.ptr()) != 0 ? PyUnicode_EncodeFSDefault(name.ptr())
                                                 : Py_NewRef(name.ptr()));
  if (!bytes.is_valid()) nb::raise_python_error();
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes.ptr(), &data, &size) != 0) nb::raise_python_error();
  return {data, static_cast<std::size_t>(size)};
}

double number(const char* op, nb::handle object) {
  if (PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr()) ||
      PyComplex_Check(object.ptr())) {
    fail_dtype(op, class_name(object));
  }
  const double value = PyFloat_AsDouble(object.ptr());
  if (value == -1.0 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError) != 0) {
      PyErr_Clear();  // an integer beyond double is beyond float32 as well
      nb::object negative = nb::steal(PyObject_RichCompare(object.ptr(), nb::int_(0).ptr(), Py_LT));
      return negative.is(nb::handle(Py_True)) ? -HUGE_VAL : HUGE_VAL;
    }
    PyErr_Clear();
    fail_dtype(op, class_name(object));
  }
  return value;
}

std::vector<double> numbers(const char* op, nb::handle object, std::optional<std::int64_t> count) {
  std::vector<double> out;
  AnyArray array;
  if (!PyList_Check(object.ptr()) && !PyTuple_Check(object.ptr()) &&
      nb::try_cast(object, array, false)) {
    out = values_of(view_of(op, array));
  } else {
    PyErr_Clear();
    if (!is_sequence(object)) fail_type(op, object, "a sequence or buffer of numbers");
    const nb::object fast = nb::steal(PySequence_Tuple(object.ptr()));
    if (!fast.is_valid()) nb::raise_python_error();
    const Py_ssize_t size = PyTuple_Size(fast.ptr());
    out.reserve(static_cast<std::size_t>(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
      out.push_back(number(op, PyTuple_GetItem(fast.ptr(), i)));
    }
  }
  if (count && !std::cmp_equal(out.size(), *count)) {
    st::fail(st::Errc::length_mismatch, op,
             st::text("values: got ", out.size(), ", expected ", *count));
  }
  return out;
}

namespace {

std::complex<float> one_complex(const char* op, nb::handle item) {
  const double re = PyComplex_RealAsDouble(item.ptr());
  const double im = PyErr_Occurred() != nullptr ? 0.0 : PyComplex_ImagAsDouble(item.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    st::fail(st::Errc::dtype, op,
             st::text("elements: got ", class_name(item), ", expected complex numbers"));
  }
  return {static_cast<float>(re), static_cast<float>(im)};
}

}  // namespace

std::vector<std::complex<float>> complex_numbers(const char* op, nb::handle object,
                                                 std::int64_t count) {
  std::vector<std::complex<float>> out;
  if (!is_sequence(object) && !nb::hasattr(object, "__iter__")) {
    fail_type(op, object, "a sequence or buffer of complex numbers");
  }
  // Buffers and arrays give their elements through a memory view's or their own list.
  nb::object list =
      nb::hasattr(object, "tolist") ? nb::object(object.attr("tolist")()) : nb::borrow(object);
  if (!is_sequence(list)) fail_type(op, object, "a sequence or buffer of complex numbers");
  std::vector<nb::object> pending;
  for (nb::handle item : list) pending.push_back(nb::borrow(item));
  for (const nb::object& item : pending) {
    if (PySequence_Check(item.ptr()) != 0 && !PyUnicode_Check(item.ptr())) {
      if (nb::len(item) > 0 && PyComplex_Check(nb::object(item[0]).ptr())) {  // a row
        for (nb::handle element : item) out.push_back(one_complex(op, element));
        continue;
      }
      const auto pair = numbers(op, item, 2);
      out.emplace_back(static_cast<float>(pair[0]), static_cast<float>(pair[1]));
      continue;
    }
    out.push_back(one_complex(op, item));
  }
  if (!std::cmp_equal(out.size(), count)) {
    st::fail(st::Errc::length_mismatch, op,
             st::text("values: got ", out.size(), ", expected ", count));
  }
  return out;
}

std::optional<st::Tensor> try_operand(nb::handle object, const st::Tensor& beside) {
  st::Tensor* tensor = nullptr;
  if (nb::try_cast(object, tensor, false) && tensor != nullptr) return *tensor;
  PyErr_Clear();
  if (PyComplex_Check(object.ptr()) || PyUnicode_Check(object.ptr())) return {};
  if (PyFloat_Check(object.ptr()) == 0 && PyLong_Check(object.ptr()) == 0 &&
      !(nb::hasattr(object, "__float__") && !nb::hasattr(object, "__len__"))) {
    return {};
  }
  const double value = number("operand", object);
  return st::Tensor::full(1, 1, value, {.requires_grad = false, .device = beside.device()});
}

st::Weights weights_of(nb::handle object) {
  if (object.is_none()) return {};
  st::Tensor* tensor = nullptr;
  if (nb::try_cast(object, tensor, false) && tensor != nullptr) return *tensor;
  PyErr_Clear();
  return numbers("weights", object);
}

std::optional<std::vector<double>> optional_numbers(const char* op, nb::handle object) {
  if (object.is_none()) return {};
  return numbers(op, object);
}

std::vector<st::Tensor> tensors_of(nb::handle object) {
  if (!is_sequence(object)) fail_type("tensors", object, "a sequence of tensors");
  std::vector<st::Tensor> out;
  for (nb::handle item : object) {
    st::Tensor* tensor = nullptr;
    if (!nb::try_cast(item, tensor, false) || tensor == nullptr) {
      fail_type("tensors", item, "a Tensor in the sequence");
    }
    out.push_back(*tensor);
  }
  return out;
}

st::TensorOptions tensor_options(bool requires_grad, const std::optional<std::string>& device) {
  return {requires_grad, new_device("Tensor", device)};
}

namespace {
std::vector<st::DeviceId>& default_devices() {
  thread_local std::vector<st::DeviceId> stack;
  return stack;
}
}  // namespace

st::DeviceId new_device(const char* op, const std::optional<std::string>& device) {
  if (device) return st::resolve_device(op, *device);
  return default_devices().empty() ? st::DeviceId{} : default_devices().back();
}

void push_default_device(st::DeviceId device) { default_devices().push_back(device); }

void pop_default_device() {
  if (!default_devices().empty()) default_devices().pop_back();
}
