#include "spiraltorch/base/csv.hpp"

#include <utility>

namespace spiraltorch {

CsvFields csv_fields(std::string_view line, char delimiter, bool quotes) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      out.back().push_back('"');
      ++i;
    } else if (c == '"' && quotes && (quoted || out.back().empty())) {
      quoted = !quoted;
    } else if (c == delimiter && !quoted) {
      out.emplace_back();
    } else {
      out.back().push_back(c);
    }
  }
  return {std::move(out), !quoted};
}

}  // namespace spiraltorch
