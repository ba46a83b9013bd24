#include <array>
#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/format_error.hpp>
#include <spiraltorch/ops/rank.hpp>
#include <string>
#include <string_view>

#include "bind.hpp"

using spiraltorch::Errc;

namespace {

// The classes of docs/errors.md.
enum class Kind : std::size_t {
  error,
  invalid_argument,
  out_of_range,
  dtype,
  unsupported,
  device,
  plan_mismatch,
  out_of_memory,
  io,
  format,
  count_
};
std::array<PyObject*, static_cast<std::size_t>(Kind::count_)> classes{};

PyObject*& slot(Kind kind) { return classes[static_cast<std::size_t>(kind)]; }

Kind kind_of(Errc code) {
  switch (code) {
    case Errc::out_of_range:
      return Kind::out_of_range;
    case Errc::dtype:
      return Kind::dtype;
    case Errc::unsupported:
      return Kind::unsupported;
    case Errc::device:
      return Kind::device;
    case Errc::out_of_memory:
      return Kind::out_of_memory;
    case Errc::io:
      return Kind::io;
    case Errc::not_converged:
    case Errc::internal:
      return Kind::error;
    default:
      return Kind::invalid_argument;
  }
}

void raise(const spiraltorch::Error& e, Kind kind) {
  PyObject* type = slot(kind);
  // A message may quote bytes of a user's file.
  const std::string_view what = e.what();
  nb::object message =
      nb::steal(PyUnicode_DecodeUTF8(what.data(), static_cast<Py_ssize_t>(what.size()), "replace"));
  nb::object instance = nb::handle(type)(message);
  const std::string_view code = spiraltorch::errc_name(e.code());
  instance.attr("code") = nb::str(code.data(), code.size());
  PyErr_SetObject(type, instance.ptr());
}

void define(nb::module_& m, Kind kind, const char* name, const char* doc, PyObject* builtin,
            PyObject* base) {
  nb::object bases =
      base == nullptr ? nb::borrow(builtin) : nb::make_tuple(nb::handle(base), nb::handle(builtin));
  const std::string full = std::string("spiraltorch.") + name;
  slot(kind) = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.ptr(), nullptr);
  if (slot(kind) == nullptr) nb::raise_python_error();
  nb::handle(slot(kind)).attr("__module__") = "spiraltorch";
  m.attr(name) = nb::handle(slot(kind));
}

}  // namespace

void bind_errors(nb::module_& m) {
  define(m, Kind::error, "Error", "What SpiralTorch raises; `code` names the condition.",
         PyExc_Exception, nullptr);
  PyObject* error = slot(Kind::error);
  nb::handle(error).attr("code") = "internal";
  define(m, Kind::invalid_argument, "InvalidArgument", "An argument does not fit.",
         PyExc_ValueError, error);
  define(m, Kind::out_of_range, "OutOfRange", "An index or name that does not exist.",
         PyExc_IndexError, slot(Kind::invalid_argument));
  define(m, Kind::dtype, "DTypeError", "Elements that are not real numbers.", PyExc_TypeError,
         error);
  define(m, Kind::unsupported, "Unsupported", "Not available here.", PyExc_NotImplementedError,
         error);
  define(m, Kind::device, "DeviceError", "A device is absent, lost or not the operands' own.",
         PyExc_RuntimeError, error);
  // What a driver call reported; None where no driver was asked.
  for (const char* name : {"call", "status", "status_name", "device"}) {
    nb::handle(slot(Kind::device)).attr(name) = nb::none();
  }
  define(m, Kind::plan_mismatch, "PlanDeviceMismatch",
         "A plan is simulated, or made for another device or other capabilities.",
         slot(Kind::device), nullptr);
  define(m, Kind::out_of_memory, "OutOfMemory", "An allocation was refused.", PyExc_MemoryError,
         error);
  define(m, Kind::io, "IoError", "A file cannot be read or written, or is malformed.",
         PyExc_OSError, error);
  define(m, Kind::format, "FormatError", "Malformed content of a file.", PyExc_ValueError,
         slot(Kind::io));
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const spiraltorch::PlanDeviceMismatch& e) {
      raise(e, Kind::plan_mismatch);
    } catch (const spiraltorch::FormatError& e) {
      raise(e, Kind::format);
    } catch (const spiraltorch::Error& e) {
      raise(e, kind_of(e.code()));
    }
  });
}
