#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// Bytes of the sequence that a lead byte announces; 0 where it is none.
[[nodiscard]] SPIRALTORCH_API std::size_t utf8_length(char lead) noexcept;
/// The code point at the beginning of `text`, unless it is cut or not valid; its sequence has
/// `utf8_length(text[0])` bytes.
[[nodiscard]] SPIRALTORCH_API std::optional<std::uint32_t> first_code_point(
    std::string_view text) noexcept;

/// Byte offset of the first sequence that is not valid UTF-8 (overlong forms, surrogates and
/// numbers past U+10FFFF included), or nothing.
[[nodiscard]] SPIRALTORCH_API std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Code points of UTF-8 text; `invalid_value` naming the byte offset of what is not valid.
[[nodiscard]] SPIRALTORCH_API std::vector<std::uint32_t> decode_utf8(std::string_view op,
                                                                     std::string_view text);

}  // namespace spiraltorch
