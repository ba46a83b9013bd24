#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "embed/byte_source.hpp"

namespace spiraltorch {

/// A text's lines, one at a time. No line is held that is longer than `kLongest`.
class LineReader {
 public:
  static constexpr std::size_t kLongest = std::size_t{1} << 20;  // bytes

  /// Of a file, decompressed where its name ends in ".gz".
  LineReader(const char* op, const std::string& path);
  LineReader(const char* op, std::unique_ptr<ByteSource> from);

  /// Goes to the next line; false at the end. `invalid_value` for a line that is too long, and
  /// where `check_text` finds something.
  bool next();
  /// Without its end (LF or CR LF) and, in the first, without a byte-order mark. Holds until
  /// `next`.
  [[nodiscard]] std::string_view line() const noexcept { return line_; }
  [[nodiscard]] std::int64_t number() const noexcept { return number_; }
  /// `invalid_value` naming the byte of the (decompressed) file where the line is not UTF-8 or has
  /// a NUL.
  void check_text() const;
  /// "line 7, 'the line's beginning'": for messages.
  [[nodiscard]] std::string where() const;

 private:
  void keep(std::string_view part);
  void trim();

  const char* op_;
  std::unique_ptr<ByteSource> from_;
  std::string_view rest_;  // of the piece at hand
  std::string cut_;        // a line that began in an earlier piece
  std::string_view line_;
  std::int64_t number_ = 0;
  std::uint64_t offset_ = 0;  // of the line in the file
  std::uint64_t next_offset_ = 0;
};

/// The first 80 bytes of a text, to the end of a character, with control characters and what is
/// not UTF-8 written as \xNN.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace spiraltorch
