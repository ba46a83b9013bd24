#pragma once

#include <string_view>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

using WarningHandler = void (*)(std::string_view message);

/// Receives every warning; null (the start value) discards them. Python installs one that raises
/// a RuntimeWarning. Returns the former handler. Thread-safe.
SPIRALTORCH_API WarningHandler set_warning_handler(WarningHandler handler) noexcept;

/// Passes `message` to the handler.
SPIRALTORCH_API void warn(std::string_view message);

/// The same, but only the first time a process gives this message. Returns whether it did.
SPIRALTORCH_API bool warn_once(std::string_view message);

}  // namespace spiraltorch
