#pragma once

#include <cstdint>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/data/arrow_abi.hpp"
#include "spiraltorch/data/sources.hpp"

/// What readers of Arrow streams share.
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

/// Whether a bit of a map, least significant first, is set.
[[nodiscard]] inline bool arrow_bit(const unsigned char* bits, std::int64_t i) noexcept {
  return ((bits[i >> 3] >> (i & 7)) & 1) != 0;
}

using ArrowStreamOwned = ArrowOwned<ArrowArrayStream>;

/// `invalid_value` for a stream that is released.
SPIRALTORCH_API void check_live(const ArrowArrayStream* stream);
/// The schema of record batches; FormatError for a stream of something else, `io` where it fails.
[[nodiscard]] SPIRALTORCH_API ArrowOwned<ArrowSchema> batch_schema(ArrowArrayStream* stream);
/// Number of a column; `out_of_range` for one that the schema lacks. `what` names the argument.
[[nodiscard]] SPIRALTORCH_API std::int64_t place_of(const ArrowSchema& schema,
                                                    const dataset::Column& column,
                                                    const char* what);
/// Fetches the next batch; false at the end. FormatError for one that is no struct of rows.
[[nodiscard]] SPIRALTORCH_API bool next_batch(ArrowArrayStream* stream,
                                              ArrowOwned<ArrowArray>& batch);
/// Map of the rows of a batch that are there; null: all.
[[nodiscard]] SPIRALTORCH_API const unsigned char* valid_rows(const ArrowArray& batch);

}  // namespace spiraltorch::data
