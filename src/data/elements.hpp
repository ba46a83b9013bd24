#pragma once

#include <string_view>

namespace spiraltorch::data {

/// Reads one stored number; `swapped`: of the other byte order.
using ReadElement = double (*)(const unsigned char* from, bool swapped);

/// The reader of a real or boolean type by NumPy's letter and size ("f2", "i8", "b1"); null for
/// other types.
[[nodiscard]] ReadElement element_reader(std::string_view type) noexcept;

}  // namespace spiraltorch::data
