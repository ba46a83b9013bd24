#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// A named array of a safetensors file: its type as the format spells it ("F32"), its bytes
/// little-endian and contiguous.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

using SafetensorsMetadata = std::map<std::string, std::string>;

/// A file read whole: entries point into `storage`, in the order of their bytes.
struct SafetensorsFile {
  SafetensorsMetadata metadata{};
  std::vector<SafetensorsEntry> entries{};
  std::shared_ptr<const std::vector<std::byte>> storage{};
};

/// Checks everything that the format demands (huggingface/safetensors, format 0.4): `FormatError`
/// naming path, entry and reason. `op` and `path` are for messages.
[[nodiscard]] SPIRALTORCH_API SafetensorsFile parse_safetensors(std::string_view op,
                                                                const std::string& path,
                                                                std::vector<std::byte> bytes);
/// The same from a file; `io` where it cannot be read.
[[nodiscard]] SPIRALTORCH_API SafetensorsFile read_safetensors(std::string_view op,
                                                               const std::string& path);

/// Writes the canonical form: JSON without spaces, metadata first with sorted keys, tensors by
/// element size (descending) and name, contiguous, the header padded to a multiple of 8. Equal
/// contents give equal files. Atomic as `write_file` is. `invalid_value` for names given twice.
SPIRALTORCH_API void write_safetensors(std::string_view op, const std::string& path,
                                       std::vector<SafetensorsEntry> entries,
                                       const SafetensorsMetadata& metadata);

/// Writes a fresh temporary file beside the target, flushes it to disk and renames it over the
/// target, so that a reader sees the former content or the whole new one. `io` otherwise: the
/// temporary file is removed, the target untouched.
SPIRALTORCH_API void write_file(std::string_view op, const std::string& path,
                                std::span<const std::span<const std::byte>> parts);

}  // namespace spiraltorch
