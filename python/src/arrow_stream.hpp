#pragma once

#include <spiraltorch/data/arrow_abi.hpp>

#include "bind.hpp"

/// The stream of `source.__arrow_c_stream__()`, which the caller owns; TypeError for an object
/// without one.
[[nodiscard]] inline ArrowArrayStream export_arrow_stream(const char* op, nb::handle source) {
  if (!nb::hasattr(source, "__arrow_c_stream__")) {
    const std::string message =
        std::string("[") + op + "] source: expected an object with __arrow_c_stream__";
    throw nb::type_error(message.c_str());
  }
  const nb::object capsule = source.attr("__arrow_c_stream__")();
  auto* stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (stream == nullptr) nb::raise_python_error();
  const ArrowArrayStream out = *stream;
  stream->release = nullptr;
  return out;
}
