#pragma once

#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/error.hpp"

namespace spiraltorch {

/// Malformed content of a file; its code is `io`. Python's class is a ValueError too.
class SPIRALTORCH_API FormatError : public Error {
 public:
  FormatError(std::string_view op, const std::string& message, Where where = Where::here());
};

}  // namespace spiraltorch
