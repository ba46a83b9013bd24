#pragma once

#include "arrays.hpp"

/// A number, or an (r,1) tensor.
[[nodiscard]] inline st::Scalars scalars_of(const char* op, nb::handle t) {
  st::Tensor* column = nullptr;
  if (nb::try_cast(t, column, false) && column != nullptr) return *column;
  PyErr_Clear();
  return number(op, t);
}
