#pragma once

#include <optional>
#include <string>

#include "embed/line_reader.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

/// The readers of text, from lines of any source.
namespace spiraltorch {

struct JsonlKeys {
  std::string child;
  std::string parent;
  std::optional<std::string> weight;
};

[[nodiscard]] Hierarchy read_csv(LineReader lines, const CsvOptions& options);
[[nodiscard]] Hierarchy read_jsonl(LineReader lines, const JsonlKeys& keys);
/// WordNet's data.noun and index.noun.
[[nodiscard]] Hierarchy read_wordnet(LineReader data, LineReader index);

}  // namespace spiraltorch
