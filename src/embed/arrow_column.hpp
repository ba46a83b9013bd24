#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "spiraltorch/data/arrow_stream.hpp"

namespace spiraltorch {

/// One column of record batches that names nodes: strings (of 32-bit or 64-bit offsets, or views),
/// integers, or a dictionary of either; or, for weights, numbers.
class ArrowNodeColumn {
 public:
  /// FormatError for other types. `what` names the argument in messages.
  ArrowNodeColumn(const ArrowSchema& schema, std::int64_t index, const char* what, bool numbers);

  /// Prepares reading rows [0, rows) of a batch, which must outlive it. FormatError where the
  /// arrays do not fit the schema.
  void bind(const ArrowArray& batch, std::int64_t rows);
  /// The name in a row, which holds until the next call; `place` is the row's number in the stream.
  /// FormatError for a null.
  [[nodiscard]] std::string_view name(std::int64_t row, std::int64_t place);
  [[nodiscard]] double number(std::int64_t row, std::int64_t place) const;

 private:
  /// One array: plain values, or the numbers of a dictionary's.
  struct Values {
    std::string format;
    const unsigned char* valid = nullptr;
    std::int64_t offset = 0;
    std::int64_t length = 0;
    const unsigned char* first = nullptr;  // offsets, views or integers
    const unsigned char* bytes = nullptr;  // of strings
    const void** buffers = nullptr;
    std::int64_t buffer_count = 0;
  };
  [[noreturn]] void bad(const std::string& message) const;
  void bind_values(const ArrowArray& array, std::int64_t needed, Values& values) const;
  [[nodiscard]] std::int64_t present(const Values& values, std::int64_t row,
                                     std::int64_t place) const;
  [[nodiscard]] std::string_view value(const Values& values, std::int64_t row, std::int64_t place);
  [[nodiscard]] std::string_view ranged(const Values& values, std::int64_t i,
                                        std::int64_t place) const;
  [[nodiscard]] std::string_view viewed(const Values& values, std::int64_t i,
                                        std::int64_t place) const;

  std::string label_;
  std::int64_t index_;
  bool dictionary_ = false;
  Values values_;   // what the names are, or their numbers in entries_
  Values entries_;  // of a dictionary
  std::array<char, 24> digits_{};
};

}  // namespace spiraltorch
