#include <nanobind/stl/optional.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/ops/matrix.hpp>
#include <utility>

#include "arrays.hpp"
#include "tensor_parts.hpp"

using namespace nb::literals;
using st::Tensor;

namespace {

std::optional<std::int64_t> slice_part(nb::handle slice, const char* name) {
  const nb::object value = slice.attr(name);
  if (value.is_none()) return {};
  return nb::cast<std::int64_t>(value);
}

AxisIndex read_axis(nb::handle key, const char* axis, std::int64_t length) {
  if (PySlice_Check(key.ptr())) {
    return {
        {slice_part(key, "start"), slice_part(key, "stop"), slice_part(key, "step").value_or(1)},
        false};
  }
  if (PyIndex_Check(key.ptr()) == 0) {
    throw nb::type_error(st::text("[index] ", axis, ": expected a number or a slice").c_str());
  }
  const Py_ssize_t i = PyNumber_AsSsize_t(key.ptr(), PyExc_IndexError);
  if (i == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
  return {st::ops::index_slice("index", axis, i, length), true};
}

nb::object get(const Tensor& t, nb::handle key) {
  const auto [rows, cols] = read_key(key, t.shape());
  if (rows.is_number && cols.is_number && !t.requires_grad()) {
    return nb::cast(t.at(*rows.slice.start, *cols.slice.start));
  }
  const Tensor part = t.slice(rows.slice, cols.slice);
  if (rows.is_number && cols.is_number) return nb::cast(part.item());
  return nb::cast(part);
}

void set(Tensor& t, nb::handle key, nb::handle value) {
  const auto [rows, cols] = read_key(key, t.shape());
  const auto operand = try_operand(value, t);
  t.assign(rows.slice, cols.slice, operand ? *operand : import_array(value, CopyPolicy::if_needed));
}

}  // namespace

std::pair<AxisIndex, AxisIndex> read_key(nb::handle key, st::Shape shape) {
  if (PyTuple_Check(key.ptr()) == 0) return {read_axis(key, "row", shape.rows), AxisIndex{}};
  const auto parts = nb::borrow<nb::tuple>(key);
  if (parts.size() != 2) throw nb::type_error("[index] expected one or two indices");
  return {read_axis(parts[0], "row", shape.rows), read_axis(parts[1], "column", shape.cols)};
}

void bind_tensor_index(nb::class_<Tensor>& c) {
  c.def("__getitem__", get, "key"_a);
  c.def("__setitem__", set, "key"_a, "value"_a);
}
