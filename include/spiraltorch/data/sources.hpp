#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/data/arrow_abi.hpp"
#include "spiraltorch/data/data_loader.hpp"
#include "spiraltorch/zspace/language_wave_encoder.hpp"

/// Sources of samples. Files are never read whole: a pass in order streams; an order that needs
/// the length builds, once, an index of one 64-bit offset a record. Malformed content is a
/// FormatError that names path, line and column.
namespace spiraltorch::dataset {

/// Samples in memory; there may be none.
[[nodiscard]] SPIRALTORCH_API DataLoader from_vec(std::vector<Sample> samples);

/// Row i of each, shared: the tensors' later changes are seen. `shape_mismatch` unless they have
/// equally many rows. A batch is one gather of rows, without per-sample tensors.
[[nodiscard]] SPIRALTORCH_API DataLoader from_tensors(const Tensor& inputs, const Tensor& targets);

/// A column by its number, from 0, or by its name in the header.
using Column = std::variant<std::int64_t, std::string>;

struct TableOptions {
  std::optional<char> delimiter{};  ///< by suffix: tab for .tsv, else comma
  bool header = true;
};

/// Finite decimal numbers in chosen columns. Quotes as in RFC 4180, LF or CRLF; a byte-order mark
/// and empty lines are skipped; `out_of_range` for a column that does not exist.
[[nodiscard]] SPIRALTORCH_API DataLoader from_csv(const std::string& path,
                                                  std::span<const Column> inputs,
                                                  std::span<const Column> targets,
                                                  const TableOptions& options = {});

/// An object a line, each of the two keys with a number, a list (one row) or a list of equal rows.
/// Blank lines and other keys are ignored.
[[nodiscard]] SPIRALTORCH_API DataLoader from_jsonl(const std::string& path,
                                                    const std::string& input = "input",
                                                    const std::string& target = "target");

/// Two .npy files (1.0 to 3.0), memory-mapped: C order, any real or bool type and byte order; axes
/// after the first are flattened. `shape_mismatch` unless they have equally many rows.
[[nodiscard]] SPIRALTORCH_API DataLoader from_npy(const std::string& inputs,
                                                  const std::string& targets);

/// Columns of record batches by the Arrow C stream interface: integers, floating-point numbers,
/// bool and fixed-size lists of those, laid side by side and rounded to float32. The source has no
/// length: `shuffle` needs a window. FormatError for other types, dictionaries and nulls (when
/// their row is drawn), `out_of_range` for a column that does not exist, `io` for what the stream
/// reports.
///
/// The stream is moved from and released here; after an error it is still the caller's. It gives
/// one epoch: a second one throws `invalid_value`.
[[nodiscard]] SPIRALTORCH_API DataLoader from_arrow(ArrowArrayStream* stream,
                                                    std::span<const Column> inputs,
                                                    std::span<const Column> targets);

/// Exports a new stream into the struct; called from the thread that makes batches.
using ArrowOpen = std::function<void(ArrowArrayStream*)>;

/// The same with a new stream each epoch; the first is opened here and read by the first epoch.
[[nodiscard]] SPIRALTORCH_API DataLoader from_arrow(ArrowOpen open, std::span<const Column> inputs,
                                                    std::span<const Column> targets);

/// Texts, encoded by `encode_z_space` with a width (2·longest) when a batch is built. The target
/// is the input, unless given for each.
[[nodiscard]] SPIRALTORCH_API DataLoader from_text(std::vector<std::string> texts,
                                                   const LanguageWaveEncoder& encoder,
                                                   std::optional<std::vector<Tensor>> targets = {},
                                                   std::optional<std::int64_t> width = {});
/// The lines of a UTF-8 file.
[[nodiscard]] SPIRALTORCH_API DataLoader
from_text_file(const std::string& path, const LanguageWaveEncoder& encoder, std::int64_t width,
               std::optional<std::vector<Tensor>> targets = {});

}  // namespace spiraltorch::dataset
