#include "rank.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/ops/rank.hpp>
#include <spiraltorch/tensor/complex_tensor.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace nb::literals;
using st::Tensor;

namespace {

std::string class_name(nb::handle object) {
  return nb::cast<std::string>(
      nb::handle(reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()))).attr("__name__"));
}

[[noreturn]] void fail_type(const char* op, const char* what, nb::handle got,
                            const char* expected) {
  throw nb::type_error(
      st::text("[", op, "] ", what, ": got ", class_name(got), ", expected ", expected).c_str());
}

// A tensor of float32; other tensors are `dtype`, other objects a TypeError.
Tensor tensor_of(const char* op, nb::handle object) {
  Tensor* tensor = nullptr;
  if (nb::try_cast(object, tensor, false) && tensor != nullptr) return *tensor;
  PyErr_Clear();
  if (nb::isinstance<st::IndexTensor>(object) || nb::isinstance<st::ComplexTensor>(object)) {
    st::fail(st::Errc::dtype, op,
             st::text("tensor: got ", class_name(object), ", expected a float32 Tensor"));
  }
  fail_type(op, "tensor", object, "a Tensor");
}

st::RankKind kind_of(const char* op, nb::handle kind) {
  if (!PyUnicode_Check(kind.ptr())) fail_type(op, "kind", kind, "a string");
  return st::parse_rank_kind(op, nb::cast<std::string>(kind));
}

struct Options {
  nb::handle device, plan;
  bool sorted;
  std::string nan;
};

st::RankOptions options_of(const char* op, const Options& o) {
  st::RankOptions out;
  out.sorted = o.sorted;
  out.nan = st::parse_nan_policy(op, o.nan);
  if (!o.device.is_none()) {
    if (!PyUnicode_Check(o.device.ptr())) fail_type(op, "device", o.device, "a string");
    out.device = nb::cast<std::string>(o.device);
  }
  if (!o.plan.is_none()) {
    if (!nb::isinstance<PyRankPlan>(o.plan)) fail_type(op, "plan", o.plan, "a RankPlan");
    out.plan = nb::cast<const PyRankPlan&>(o.plan).plan;
  }
  return out;
}

using Select = st::RankResult (*)(const Tensor&, std::int64_t, const st::RankOptions&);

template <Select select>
void def_select(nb::module_& m, const char* name, const char* doc) {
  m.def(
      name,
      [name](nb::handle tensor, nb::handle k, nb::handle device, bool sorted,
             const std::string& nan, nb::handle plan) {
        const Tensor x = tensor_of(name, tensor);
        const std::int64_t count = integer(name, "k", k);
        const st::RankOptions options = options_of(name, {device, plan, sorted, nan});
        const nb::gil_scoped_release unlock;
        return select(x, count, options);
      },
      "tensor"_a, "k"_a, nb::kw_only(), "device"_a = nb::none(), "sorted"_a = true,
      "nan"_a = "last", "plan"_a = nb::none(), doc);
}

nb::object part_of(const st::RankResult& r, Py_ssize_t i) {
  if (i == 0 || i == -2) return nb::cast(r.values);
  if (i == 1 || i == -1) return nb::cast(r.indices);
  throw nb::index_error();
}

void bind_results(nb::module_& m) {
  nb::class_<st::RankResult> r(m, "RankResult",
                               "Unpacks as (values, indices), each of shape (rows, k). Slots that "
                               "no element fills hold NaN and index -1.");
  r.def_ro("values", &st::RankResult::values, "The input's elements.");
  r.def_ro("indices", &st::RankResult::indices, "Their columns.");
  r.def_prop_ro(
      "plan", [](const st::RankResult& x) { return PyRankPlan{x.plan}; }, "What ran.");
  r.def_prop_ro(
      "trace", [](const st::RankResult& x) { return nb::tuple(nb::cast(x.trace)); },
      "The launches as they were issued; equals plan.lower(sorted, nan).");
  r.def("__len__", [](const st::RankResult&) { return 2; });
  r.def("__getitem__", part_of);
  r.def("__iter__",
        [](const st::RankResult& x) { return nb::iter(nb::make_tuple(x.values, x.indices)); });
  r.def("__repr__", [](const st::RankResult& x) {
    return "RankResult(values=" + x.values.repr() + ", indices=" + x.indices.repr() + ")";
  });
}

void bind_selection(nb::module_& m) {
  def_select<st::topk>(m, "topk",
                       "The k largest elements of each row, largest first, equal ones lowest "
                       "column first.\n\n"
                       ">>> values, indices = topk(Tensor([[1.0, 3.0, 2.0]]), 2)\n"
                       ">>> indices.tolist()\n[[1, 2]]");
  def_select<st::midk>(m, "midk",
                       "The k central elements of each row in ascending order: of m elements, "
                       "ranks (m - k)//2 and on. k = 1 is the (lower) median.");
  def_select<st::bottomk>(m, "bottomk", "The k smallest elements of each row, smallest first.");
  m.def(
      "rank",
      [](const PyRankPlan& plan, nb::handle tensor, bool sorted, const std::string& nan) {
        const Tensor x = tensor_of("rank", tensor);
        const st::NanPolicy policy = st::parse_nan_policy("rank", nan);
        const nb::gil_scoped_release unlock;
        return st::rank(plan.plan, x, sorted, policy);
      },
      "plan"_a, "tensor"_a, nb::kw_only(), "sorted"_a = true, "nan"_a = "last",
      "Executes a plan; kind and k are the plan's.");
  m.def(
      "compact_range",
      [](nb::handle tensor, nb::handle low, nb::handle high) {
        const Tensor x = tensor_of("compact_range", tensor);
        const double lo = number("compact_range", low);
        const double hi = number("compact_range", high);
        st::CompactResult out = [&] {
          const nb::gil_scoped_release unlock;
          return st::compact_range(x, lo, hi);
        }();
        return nb::make_tuple(std::move(out.values), std::move(out.indices), std::move(out.counts));
      },
      "tensor"_a, "low"_a, "high"_a,
      "(values, indices, counts) of the elements with low <= x <= high: row 0's, then row 1's, in "
      "ascending column order; counts is (rows, 1). NaN is never kept.");
  m.def(
      "band_split",
      [](nb::handle gradient, nb::handle above, nb::handle beneath, double tolerance) {
        const Tensor g = tensor_of("band_split", gradient);
        const std::int64_t a = integer("band_split", "above", above);
        const std::int64_t b = integer("band_split", "beneath", beneath);
        const st::BandSplit split = [&] {
          const nb::gil_scoped_release unlock;
          return st::band_split(g, a, b, tolerance);
        }();
        std::string bands;
        for (const st::Band band : split.bands) bands += "AHB"[static_cast<std::size_t>(band)];
        return nb::make_tuple(bands, nb::make_tuple(split.sums[0], split.sums[1], split.sums[2]));
      },
      "gradient"_a, "above"_a, "beneath"_a, "tolerance"_a = 0.0,
      "Splits a gradient by |g|: a string of A (the first `above`), B (the last `beneath`) and H "
      "(the rest, and every |g| <= tolerance), one letter an element, and the sums of |g| of A, H "
      "and B.");
}

void bind_tuning(nb::module_& m) {
  m.def(
      "_tune",
      [](const std::string& device, double budget, bool reset) {
        const st::TuneReport report = [&] {
          const nb::gil_scoped_release unlock;
          return st::tune({.device = device, .budget_seconds = budget, .reset = reset});
        }();
        nb::dict out;
        out["path"] = report.path;
        out["fingerprint"] = report.table.fingerprint;
        out["problems"] = report.problems;
        out["entries"] = report.table.entries.size();
        return out;
      },
      "device"_a, "budget"_a, "reset"_a);
  m.def("_forget_plans", st::forget_plans);
}

}  // namespace

std::uint64_t word(const char* op, const char* what, nb::handle object) {
  const nb::object number = nb::steal(PyNumber_Index(object.ptr()));
  if (!number.is_valid()) nb::raise_python_error();
  const std::uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
  if (PyErr_Occurred() == nullptr) return value;
  PyErr_Clear();
  st::fail(st::Errc::invalid_value, op,
           st::text(what, ": got ", nb::str(number).c_str(), ", expected 0 <= ", what, " < 2**64"));
}

std::int64_t integer(const char* op, const char* what, nb::handle object) {
  if (PyIndex_Check(object.ptr()) == 0) fail_type(op, what, object, "an integer");
  const nb::object number = nb::steal(PyNumber_Index(object.ptr()));
  if (!number.is_valid()) nb::raise_python_error();
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0) {
    st::fail(st::Errc::invalid_value, op,
             st::text(what, ": got ", nb::str(number).c_str(), ", expected 0 to 4294967295"));
  }
  return value;
}

PyRankPlan make_plan(nb::handle kind, nb::handle rows, nb::handle cols, nb::handle k,
                     const std::string& device) {
  const st::RankProblem problem{kind_of("plan", kind), integer("plan", "rows", rows),
                                integer("plan", "cols", cols), integer("plan", "k", k)};
  const nb::gil_scoped_release unlock;
  return {st::plan_for(problem, device)};
}

void bind_rank(nb::module_& m) {
  bind_rank_plan(m);
  bind_index_tensor(m);
  bind_results(m);
  bind_selection(m);
  bind_tuning(m);
}
