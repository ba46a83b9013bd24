#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <spiraltorch/tensor/autograd.hpp>
#include <spiraltorch/tensor/tensor.hpp>

#include "arrays.hpp"
#include "tensor_parts.hpp"

using namespace nb::literals;
using st::Tensor;

namespace {

st::Axis axis_of(nb::handle axis) {
  if (axis.is_none()) return st::Axis::all;
  if (PyLong_Check(axis.ptr()) == 0) throw nb::type_error("axis: expected None, 0 or 1");
  const auto value = nb::cast<std::int64_t>(axis);
  if (value < -2 || value > 1) {
    st::fail(st::Errc::out_of_range, "axis", st::text("axis: got ", value, ", expected 0 or 1"));
  }
  return value == 0 || value == -2 ? st::Axis::rows : st::Axis::cols;
}

void construct(Tensor* self, std::int64_t rows, std::int64_t cols, nb::handle data,
               bool requires_grad, const std::optional<std::string>& device) {
  const auto options = tensor_options(requires_grad, device);
  if (data.is_none()) {
    new (self) Tensor(rows, cols, options);
    return;
  }
  st::check_shape("Tensor", rows, cols);
  const auto values = numbers("Tensor", data, rows * cols);
  new (self) Tensor(rows, cols, std::span<const double>(values), options);
}

std::vector<std::vector<double>> rows_of(nb::handle rows) {
  if (PySequence_Check(rows.ptr()) == 0 || PyUnicode_Check(rows.ptr())) {
    throw nb::type_error("[from_rows] rows: expected a sequence of sequences of numbers");
  }
  std::vector<std::vector<double>> out;
  for (nb::handle row : rows) out.push_back(numbers("from_rows", row));
  return out;
}

void bind_constructors(nb::class_<Tensor>& c) {
  c.def("__init__", construct, "rows"_a, "cols"_a, "data"_a = nb::none(), nb::kw_only(),
        "requires_grad"_a = false, "device"_a = nb::none(),
        "Zeros, or rows·cols numbers in row-major order from a sequence or buffer (copied).");
  c.def_static(
      "zeros",
      [](std::int64_t r, std::int64_t k, bool g, const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::zeros(r, k, options);
      },
      "rows"_a, "cols"_a, nb::kw_only(), "requires_grad"_a = false, "device"_a = nb::none(),
      "Zeros.");
  c.def_static(
      "ones",
      [](std::int64_t r, std::int64_t k, bool g, const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::ones(r, k, options);
      },
      "rows"_a, "cols"_a, nb::kw_only(), "requires_grad"_a = false, "device"_a = nb::none(),
      "Ones.");
  c.def_static(
      "full",
      [](std::int64_t r, std::int64_t k, double v, bool g, const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::full(r, k, v, options);
      },
      "rows"_a, "cols"_a, "value"_a, nb::kw_only(), "requires_grad"_a = false,
      "device"_a = nb::none(), "One value everywhere.");
  c.def_static(
      "eye",
      [](std::int64_t n, std::optional<std::int64_t> k, bool g,
         const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::eye(n, k, options);
      },
      "n"_a, "cols"_a = nb::none(), nb::kw_only(), "requires_grad"_a = false,
      "device"_a = nb::none(), "Ones on the diagonal of an (n, cols) tensor; cols defaults to n.");
  c.def_static(
      "rand",
      [](std::int64_t r, std::int64_t k, std::optional<std::uint64_t> s, bool g,
         const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::rand(r, k, s, options);
      },
      "rows"_a, "cols"_a, "seed"_a = nb::none(), nb::kw_only(), "requires_grad"_a = false,
      "device"_a = nb::none(),
      "Uniform on [0, 1); without a seed from the process-wide generator.");
  c.def_static(
      "randn",
      [](std::int64_t r, std::int64_t k, std::optional<std::uint64_t> s, bool g,
         const std::optional<std::string>& d) {
        const auto options = tensor_options(g, d);
        const nb::gil_scoped_release unlock;
        return Tensor::randn(r, k, s, options);
      },
      "rows"_a, "cols"_a, "seed"_a = nb::none(), nb::kw_only(), "requires_grad"_a = false,
      "device"_a = nb::none(), "Standard normal; without a seed from the process-wide generator.");
  c.def_static(
      "from_rows",
      [](nb::handle rows, bool g, const std::optional<std::string>& d) {
        return Tensor::from_rows(rows_of(rows), tensor_options(g, d));
      },
      "rows"_a, nb::kw_only(), "requires_grad"_a = false, "device"_a = nb::none(),
      "A sequence of equally long sequences of numbers.");
  c.def_static(
      "from_array",
      [](nb::handle object, nb::handle copy, bool g, const std::optional<std::string>& d) {
        Tensor out = import_array(object, copy_policy(copy)).to(tensor_options(g, d).device);
        if (g) out.requires_grad_();
        return out;
      },
      "obj"_a, "copy"_a = nb::none(), nb::kw_only(), "requires_grad"_a = false,
      "device"_a = nb::none(),
      "An array by DLPack, array interface or buffer protocol, or a sequence. Aligned, "
      "C-contiguous, writable float32 is shared; copy=True always copies, copy=False never.");
  c.def_static(
      "from_dlpack",
      [](nb::handle object) { return import_array(object, CopyPolicy::if_needed, true); }, "obj"_a,
      "The same from an object with __dlpack__.");
  c.def_static(
      "cat_rows",
      [](nb::handle list) {
        const auto parts = tensors_of(list);
        const nb::gil_scoped_release unlock;
        return Tensor::cat_rows(parts);
      },
      "tensors"_a, "Tensors below each other.");
  c.def_static(
      "cat_cols",
      [](nb::handle list) {
        const auto parts = tensors_of(list);
        const nb::gil_scoped_release unlock;
        return Tensor::cat_cols(parts);
      },
      "tensors"_a, "Tensors beside each other.");
}

void bind_facts(nb::class_<Tensor>& c) {
  c.def_prop_ro("rows", &Tensor::rows, "Number of rows.");
  c.def_prop_ro("cols", &Tensor::cols, "Number of columns.");
  c.def_prop_ro(
      "device", [](const Tensor& t) { return st::to_text(t.device()); }, "Where the tensor lives.");
  c.def(
      "shape", [](const Tensor& t) { return std::pair(t.rows(), t.cols()); }, "(rows, cols).");
  c.def("data", &Tensor::data, "Flat row-major list.");
  c.def("tolist", &Tensor::tolist, "List of rows.");
  c.def("item", &Tensor::item, "The element of a (1, 1) tensor.");
  c.def("__float__", &Tensor::item);
  c.def("__bool__", [](const Tensor& t) { return t.item() != 0.0; });
  c.def("__len__", &Tensor::rows);
  c.def("__repr__", &Tensor::repr);
  c.def("sum_axis0", &Tensor::sum_axis0, "Column sums as a list.");
  c.def("squared_l2_norm", &Tensor::squared_l2_norm, Unlocked(), "Sum of squares as a number.");
  c.def("allclose", &Tensor::allclose, "other"_a, "rtol"_a = 1e-5, "atol"_a = 1e-8,
        "equal_nan"_a = false, Unlocked(), "Whether all |a - b| <= atol + rtol·|b|.");
  c.def("project_to_poincare", &Tensor::project_to_poincare, "curvature"_a, Unlocked(),
        "Row-wise exponential map at the origin of the ball.");
  c.def("hyperbolic_distance", &Tensor::hyperbolic_distance, "other"_a, "curvature"_a, Unlocked(),
        "Distance in the product of balls, one a row.");
}

void bind_functions(nb::class_<Tensor>& c) {
  c.def("clone", &Tensor::clone, Unlocked(), "A copy with its own storage.");
  c.def("detach", &Tensor::detach, "The same storage, not tracked.");
  c.def(
      "to", [](const Tensor& t, const char* d) { return t.to(st::resolve_device("to", d)); },
      "device"_a, "The tensor itself if it is there already, else a copy on the device.");
  c.def("transpose", &Tensor::transpose, Unlocked(), "The transposed tensor.");
  c.def_prop_ro("T", &Tensor::transpose, Unlocked(), "The transposed tensor.");
  c.def("reshape", &Tensor::reshape, "rows"_a, "cols"_a, Unlocked(),
        "Same elements in another shape; -1 for one side infers it.");
  const auto named = [&c](const char* name, Tensor (Tensor::*f)(const Tensor&) const,
                          const char* doc) {
    c.def(
        name,
        [name, f](const Tensor& t, nb::handle other) {
          const auto operand = try_operand(other, t);
          if (!operand) {
            throw nb::type_error(
                st::text("[", name, "] other: expected a Tensor or a number").c_str());
          }
          const nb::gil_scoped_release unlock;
          return (t.*f)(*operand);
        },
        "other"_a, doc);
  };
  named("add", &Tensor::add, "Elementwise sum with a tensor or a number.");
  named("sub", &Tensor::sub, "Elementwise difference.");
  named("hadamard", &Tensor::hadamard, "Elementwise product.");
  c.def("scale", &Tensor::scale, "value"_a, Unlocked(), "Every element times a number.");
  c.def("matmul", &Tensor::matmul, "other"_a, Unlocked(), "Matrix product.");
  c.def("exp", &Tensor::exp, Unlocked(), "Elementwise exponential.");
  c.def("log", &Tensor::log, Unlocked(), "Elementwise natural logarithm.");
  c.def("tanh", &Tensor::tanh, Unlocked(), "Elementwise hyperbolic tangent.");
  c.def("sigmoid", &Tensor::sigmoid, Unlocked(), "Elementwise logistic function.");
  c.def("relu", &Tensor::relu, Unlocked(), "Elementwise max(x, 0).");
  c.def("sqrt", &Tensor::sqrt, Unlocked(), "Elementwise square root.");
  c.def("abs", &Tensor::abs, Unlocked(), "Elementwise absolute value.");
  c.def("clamp", &Tensor::clamp, "min"_a = nb::none(), "max"_a = nb::none(), Unlocked(),
        "Elements cut to [min, max].");
  c.def("softmax", &Tensor::softmax, Unlocked(), "Softmax over each row.");
  c.def("log_softmax", &Tensor::log_softmax, Unlocked(), "Logarithm of the softmax of each row.");
  const auto reduction = [&c](const char* name, Tensor (Tensor::*f)(st::Axis) const,
                              const char* doc) {
    c.def(
        name,
        [f](const Tensor& t, nb::handle axis) {
          const st::Axis over = axis_of(axis);
          const nb::gil_scoped_release unlock;
          return (t.*f)(over);
        },
        "axis"_a = nb::none(), doc);
  };
  reduction("sum", &Tensor::sum, "Sum over all, over rows (axis 0) or columns (axis 1).");
  reduction("mean", &Tensor::mean, "Mean over all, over rows (axis 0) or columns (axis 1).");
  reduction("max", &Tensor::max, "Largest element, NaN if there is one.");
  reduction("min", &Tensor::min, "Smallest element, NaN if there is one.");
  reduction("norm", &Tensor::norm, "Euclidean norm over all, over rows or columns.");
}

template <class F>
nb::object binary(const Tensor& self, nb::handle other, F f) {
  const auto operand = try_operand(other, self);
  if (!operand) return nb::borrow(nb::handle(Py_NotImplemented));
  std::optional<Tensor> out;
  {
    const nb::gil_scoped_release unlock;
    out = f(self, *operand);
  }
  return nb::cast(*out);
}

void bind_operators(nb::class_<Tensor>& c) {
  const auto def = [&c](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
    c.def(
        name, [f](const Tensor& a, nb::handle b) { return binary(a, b, f); }, nb::is_operator());
  };
  def("__add__", st::operator+);
  def("__radd__", [](const Tensor& a, const Tensor& b) { return b + a; });
  def("__sub__", st::operator-);
  def("__rsub__", [](const Tensor& a, const Tensor& b) { return b - a; });
  def("__mul__", st::operator*);
  def("__rmul__", [](const Tensor& a, const Tensor& b) { return b * a; });
  def("__truediv__", st::operator/);
  def("__rtruediv__", [](const Tensor& a, const Tensor& b) { return b / a; });
  c.def("__neg__", &Tensor::neg, Unlocked());
  c.def("__matmul__", &Tensor::matmul, nb::is_operator(), Unlocked());
  c.def("__pow__", &Tensor::pow, "exponent"_a, nb::is_operator(), Unlocked());
}

void bind_inplace(nb::class_<Tensor>& c) {
  c.def("add_scaled_inplace", &Tensor::add_scaled_inplace, "other"_a, "scale"_a, Unlocked(),
        "self += scale·other.");
  c.def(
      "add_row_inplace",
      [](Tensor& t, nb::handle bias) {
        Tensor* row = nullptr;
        if (nb::try_cast(bias, row, false) && row != nullptr) return t.add_row_inplace(*row);
        PyErr_Clear();
        const auto values = numbers("add_row_inplace", bias);
        t.add_row_inplace(std::span<const double>(values));
      },
      "bias"_a, "Every row += bias, a (1, cols) tensor or a sequence.");
  c.def("copy_", &Tensor::copy_, "other"_a, Unlocked(), "Copies the elements of another tensor.");
  c.def("fill_", &Tensor::fill_, "value"_a, Unlocked(), "One value everywhere, in place.");
}

void bind_gradients(nb::class_<Tensor>& c) {
  c.def_prop_rw(
      "requires_grad", &Tensor::requires_grad, [](Tensor& t, bool flag) { t.requires_grad_(flag); },
      "Whether operations on this tensor are recorded.");
  c.def(
      "requires_grad_",
      [](Tensor& t, bool flag) {
        t.requires_grad_(flag);
        return t;
      },
      "flag"_a = true, "Sets requires_grad; returns the tensor.");
  c.def_prop_ro("is_leaf", &Tensor::is_leaf, "Whether no recorded operation made this tensor.");
  c.def_prop_rw(
      "grad", &Tensor::grad, [](Tensor& t, std::optional<Tensor> g) { t.set_grad(std::move(g)); },
      nb::for_setter(nb::arg("grad").none()), "Gradient accumulated by backward, or None.");
  c.def("zero_grad", &Tensor::zero_grad, "Sets grad to None.");
  c.def("backward", &Tensor::backward, "gradient"_a = nb::none(), "retain_graph"_a = false,
        Unlocked(),
        "Adds the gradient of this tensor into grad of every tracked leaf it came from.");
}

}  // namespace

void bind_tensor(nb::module_& m) {
  auto c =
      nb::class_<Tensor>(m, "Tensor", tensor_slots(),
                         "A two-dimensional, row-major float32 matrix; each row is a point.\n\n"
                         ">>> Tensor(1, 2, [0.5, 0.25]) + 1\nTensor([[1.5, 1.25]])");
  bind_constructors(c);
  bind_facts(c);
  bind_functions(c);
  bind_operators(c);
  bind_inplace(c);
  bind_gradients(c);
  bind_tensor_index(c);
  bind_tensor_gather(c);
  bind_tensor_exchange(c);
}
