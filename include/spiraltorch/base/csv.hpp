#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

struct CsvFields {
  std::vector<std::string> fields;
  bool closed = true;  ///< false: the last field's quote is still open
};

/// Fields of one line or record by RFC 4180. Without `quotes` a quote is a character like others.
[[nodiscard]] SPIRALTORCH_API CsvFields csv_fields(std::string_view line, char delimiter,
                                                   bool quotes = true);

}  // namespace spiraltorch
