#pragma once

#include <cmath>
#include <string_view>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

// Checks of settings, shared by optimisers and schedulers.
namespace spiraltorch::optim {

/// Finite and `ok`; `range` says what was expected.
inline void check_setting(std::string_view op, std::string_view name, double value, bool ok,
                          std::string_view range) {
  if (!std::isfinite(value)) {
    fail(Errc::non_finite, op, text(name, ": got ", value, ", expected a finite number"));
  }
  if (!ok) fail(Errc::invalid_value, op, text(name, ": got ", value, ", expected ", range));
}

}  // namespace spiraltorch::optim
