#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace spiraltorch {

/// Bits of an element, for the types that the format knows.
[[nodiscard]] inline std::optional<int> bits_of_type(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, int>, 20> kTypes{{
      {"BOOL", 8}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
      {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},
      {"U16", 16}, {"F16", 16},    {"BF16", 16},   {"I32", 32},    {"U32", 32},
      {"F32", 32}, {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
  }};
  for (const auto& [name, bits] : kTypes) {
    if (name == dtype) return bits;
  }
  return {};
}

}  // namespace spiraltorch
