#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/elements.hpp"
#include "spiraltorch/data/arrow_stream.hpp"

namespace spiraltorch::data {

/// One column of record batches: numbers, truth values, or fixed-size lists of such, of any depth.
class ArrowColumn {
 public:
  /// FormatError for other types and for dictionaries.
  ArrowColumn(const ArrowSchema& field, std::int64_t index);

  /// Numbers of a row.
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  /// Prepares reading rows [0, rows) of a batch, which must outlive it. FormatError where the
  /// arrays do not fit the schema.
  void bind(const ArrowArray& batch, std::int64_t rows);
  /// Appends the numbers of a row; FormatError for a null, which `place` names.
  void read(std::int64_t row, std::int64_t place, std::vector<float>& out) const;

 private:
  struct Level {
    const unsigned char* valid;
    std::int64_t offset;
    std::int64_t length;
  };
  [[noreturn]] void bad(const std::string& message) const;
  [[nodiscard]] Level level(const ArrowArray& array, std::int64_t buffers, std::int64_t needed);

  std::string name_;
  std::int64_t index_;
  std::vector<std::int64_t> lists_;  // sizes, outermost first
  ReadElement read_ = nullptr;       // null: bits
  std::int64_t size_ = 0;            // bytes of an element
  std::int64_t width_ = 1;
  std::vector<Level> levels_;  // of the lists, then of the elements
  const unsigned char* values_ = nullptr;
};

}  // namespace spiraltorch::data
