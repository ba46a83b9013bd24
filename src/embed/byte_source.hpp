#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spiraltorch {

/// Bytes from first to last, a piece at a time.
class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  /// The next piece, which holds until the next call; empty at the end, and only there.
  virtual std::string_view next() = 0;
};

/// A file's bytes; `io` where it cannot be opened or read. `op` is a literal.
[[nodiscard]] std::unique_ptr<ByteSource> open_file(const char* op, const std::string& path);

/// The same, decompressed where the name ends in ".gz".
[[nodiscard]] std::unique_ptr<ByteSource> open_bytes(const char* op, const std::string& path);

}  // namespace spiraltorch
