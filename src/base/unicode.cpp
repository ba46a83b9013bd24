#include "spiraltorch/base/unicode.hpp"

#include <cstring>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

// Calls take(code) for each code point; returns where decoding stopped.
template <class Take>
std::size_t scan(std::string_view bytes, Take&& take) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto code = first_code_point(bytes.substr(i));
    if (!code) return i;
    take(*code);
    i += utf8_length(bytes[i]);
  }
  return bytes.size();
}

constexpr std::size_t kWord = sizeof(std::uint64_t);

bool is_ascii(const char* word) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, word, kWord);
  return (bits & 0x8080808080808080U) == 0;
}

}  // namespace

std::size_t utf8_length(char lead) noexcept {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte >= 0xC2 && byte < 0xE0) return 2;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  if (byte >= 0xF0 && byte < 0xF5) return 4;
  return 0;
}

std::optional<std::uint32_t> first_code_point(std::string_view bytes) noexcept {
  const std::size_t length = bytes.empty() ? 0 : utf8_length(bytes[0]);
  if (length == 0 || length > bytes.size()) return {};
  const auto lead = static_cast<unsigned char>(bytes[0]);
  std::uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    const auto next = static_cast<unsigned char>(bytes[k]);
    if ((next & 0xC0U) != 0x80U) return {};
    code = code << 6 | (next & 0x3FU);
  }
  // Overlong forms, surrogates and numbers past Unicode's end.
  constexpr std::uint32_t kSmallest[]{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kSmallest[length] || code > 0x10FFFF || surrogate) return {};
  return code;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (text.size() - i >= kWord && is_ascii(text.data() + i)) {
      i += kWord;
      continue;
    }
    if (!first_code_point(text.substr(i))) return i;
    i += utf8_length(text[i]);
  }
  return {};
}

std::vector<std::uint32_t> decode_utf8(std::string_view op, std::string_view bytes) {
  std::vector<std::uint32_t> out;
  out.reserve(bytes.size());
  const std::size_t end = scan(bytes, [&out](std::uint32_t code) { out.push_back(code); });
  if (end < bytes.size()) {
    fail(Errc::invalid_value, op,
         text("text: got invalid Unicode at byte ", end, ", expected UTF-8"));
  }
  return out;
}

}  // namespace spiraltorch
