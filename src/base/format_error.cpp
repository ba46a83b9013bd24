#include "spiraltorch/base/format_error.hpp"

#include "spiraltorch/base/text.hpp"

namespace spiraltorch {

FormatError::FormatError(std::string_view op, const std::string& message, Where where)
    : Error(Errc::io, text("[", op, "] ", message), where) {}

}  // namespace spiraltorch
