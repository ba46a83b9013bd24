#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/elements.hpp"
#include "spiraltorch/data/arrow_abi.hpp"

namespace spiraltorch::data {

/// The name that errors of Arrow sources carry.
inline constexpr const char* kFromArrow = "from_arrow";

/// A struct of the C interface, released with the object.
template <class T>
class ArrowOwned {
 public:
  ArrowOwned() = default;
  ~ArrowOwned() { reset(); }
  ArrowOwned(const ArrowOwned&) = delete;
  ArrowOwned& operator=(const ArrowOwned&) = delete;
  ArrowOwned(ArrowOwned&& o) noexcept : value_(o.value_) { o.value_.release = nullptr; }

  T* get() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }
  const T& operator*() const noexcept { return value_; }
  [[nodiscard]] bool released() const noexcept { return value_.release == nullptr; }
  /// Takes what `from` holds, and marks it released, as the interface has it.
  void take(T* from) noexcept {
    reset();
    value_ = *from;
    from->release = nullptr;
  }
  void reset() noexcept {
    if (value_.release != nullptr) value_.release(&value_);
    value_ = T{};
  }

 private:
  T value_{};
};

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

/// Whether a bit of a map, least significant first, is set.
[[nodiscard]] inline bool arrow_bit(const unsigned char* bits, std::int64_t i) noexcept {
  return ((bits[i >> 3] >> (i & 7)) & 1) != 0;
}

}  // namespace spiraltorch::data
