#include <algorithm>
#include <bit>
#include <cstring>

#include "base/safetensors_types.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

static_assert(std::endian::native == std::endian::little);

void append_string(std::string& out, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    constexpr std::string_view kPlain = "\"\\\b\t\n\f\r";
    constexpr std::string_view kEscape = "\"\\btnfr";
    if (const auto at = kPlain.find(c); at != std::string_view::npos) {
      out += '\\';
      out += kEscape[at];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_entry(std::string& out, const SafetensorsEntry& entry, std::uint64_t begin) {
  append_string(out, entry.name);
  out += ":{\"dtype\":";
  append_string(out, entry.dtype);
  out += ",\"shape\":[";
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    if (i > 0) out += ',';
    out += text(entry.shape[i]);
  }
  out += text("],\"data_offsets\":[", begin, ",", begin + entry.bytes.size(), "]}");
}

std::string header_of(const std::vector<SafetensorsEntry>& entries,
                      const SafetensorsMetadata& metadata) {
  std::string out = "{";
  if (!metadata.empty()) {
    out += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (out.back() != '{') out += ',';
      append_string(out, key);
      out += ':';
      append_string(out, value);
    }
    out += '}';
  }
  std::uint64_t begin = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (out.size() > 1) out += ',';
    append_entry(out, entry, begin);
    begin += entry.bytes.size();
  }
  out += '}';
  out.resize((out.size() + 7) / 8 * 8, ' ');
  return out;
}

}  // namespace

void write_safetensors(std::string_view op, const std::string& path,
                       std::vector<SafetensorsEntry> entries, const SafetensorsMetadata& metadata) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const int x = bits_of_type(a.dtype).value_or(0);
    const int y = bits_of_type(b.dtype).value_or(0);
    return x != y ? x > y : a.name < b.name;
  });
  const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                        [](auto& a, auto& b) { return a.name == b.name; });
  if (twice != entries.end()) {
    fail(Errc::invalid_value, op,
         text("names: got '", twice->name, "' twice, expected each name once"));
  }
  const std::string header = header_of(entries, metadata);
  const auto length = static_cast<std::uint64_t>(header.size());
  std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(&length, 1)),
                                                std::as_bytes(std::span(header))};
  for (const SafetensorsEntry& entry : entries) parts.push_back(entry.bytes);
  write_file(op, path, parts);
}

}  // namespace spiraltorch
