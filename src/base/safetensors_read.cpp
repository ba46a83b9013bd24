#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/safetensors_types.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/unicode.hpp"

namespace spiraltorch {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kPrefix = 8;
constexpr std::string_view kMetadata = "__metadata__";

class Parser {
 public:
  Parser(std::string_view op, const std::string& path, std::vector<std::byte> bytes)
      : op_(op), path_(path), bytes_(std::make_shared<std::vector<std::byte>>(std::move(bytes))) {}

  SafetensorsFile run() {
    const Json header = parse(header_text());
    SafetensorsFile file;
    file.storage = bytes_;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        file.metadata = metadata(value);
      } else {
        file.entries.push_back(entry(name, value));
      }
    }
    check_layout(file.entries);
    return file;
  }

 private:
  [[noreturn]] void malformed(const std::string& reason) const {
    throw FormatError(op_, text("file '", path_, "': got ", reason, ", expected safetensors"));
  }
  [[noreturn]] void malformed(std::string_view name, std::string_view reason) const {
    malformed(text("entry '", name, "': ", reason));
  }

  std::string_view header_text() {
    if (bytes_->size() < kPrefix) malformed(text(bytes_->size(), " bytes, shorter than 8 bytes"));
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_->data(), kPrefix);
    if (length > kMaxHeader) malformed(text("a header length ", length, " that exceeds the limit"));
    if (length > bytes_->size() - kPrefix) {
      malformed(text("a header length ", length, " that exceeds the file"));
    }
    data_ = std::span(*bytes_).subspan(kPrefix + length);
    const std::string_view header(reinterpret_cast<const char*>(bytes_->data()) + kPrefix, length);
    if (header.empty() || header.front() != '{') malformed("a header that does not start with {");
    if (const auto at = find_invalid_utf8(header)) {
      malformed(text("invalid UTF-8 at byte ", *at, " of the header"));
    }
    return header;
  }

  Json parse(std::string_view header) const {
    std::vector<std::set<std::string>> names;
    const auto watch = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::object_start) names.emplace_back();
      if (event == Json::parse_event_t::object_end) names.pop_back();
      if (event == Json::parse_event_t::key) {
        const auto& name = parsed.get_ref<const std::string&>();
        if (!names.back().insert(name).second) malformed(text("a duplicate name '", name, "'"));
      }
      return true;
    };
    try {
      return Json::parse(header, watch);
    } catch (const Json::exception& error) {
      malformed(text("a header that is not JSON (", error.what(), ")"));
    }
  }

  SafetensorsMetadata metadata(const Json& value) const {
    if (!value.is_object()) malformed(kMetadata, "metadata that is not an object");
    SafetensorsMetadata out;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) malformed(kMetadata, "a metadata value that is not a string");
      out.emplace(key, text.get<std::string>());
    }
    return out;
  }

  std::uint64_t unsigned_number(std::string_view name, const Json& value,
                                std::string_view what) const {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (value.is_number_integer()) malformed(name, text("a negative ", what));
    malformed(name, text("a ", what, " that is not an integer"));
  }

  const Json& field(std::string_view name, const Json& value, const char* key) const {
    const auto found = value.find(key);
    if (found == value.end()) malformed(name, text("missing ", key));
    return *found;
  }

  // Checks the dimensions and returns the number of bytes.
  std::uint64_t read_shape(const Json& list, int bits, SafetensorsEntry& into) const {
    if (!list.is_array()) malformed(into.name, "a shape that is not a list");
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    std::uint64_t count = 1;
    bool overflow = false;
    bool zero = false;
    for (const Json& item : list) {
      const std::uint64_t size = unsigned_number(into.name, item, "dimension");
      if (size > kMost) malformed(into.name, "size overflow");
      into.shape.push_back(static_cast<std::int64_t>(size));
      zero = zero || size == 0;
      overflow = overflow || (size != 0 && count > kMost / 64 / size);
      count = overflow ? count : count * size;
    }
    if (zero) return 0;
    if (overflow) malformed(into.name, "size overflow");
    const std::uint64_t all = count * static_cast<std::uint64_t>(bits);
    if (all % 8 != 0) malformed(into.name, "a size that is not whole bytes");
    return all / 8;
  }

  SafetensorsEntry entry(const std::string& name, const Json& value) const {
    if (!value.is_object()) malformed(name, "a value that is not an object");
    SafetensorsEntry out{name, {}, {}, {}};
    const Json& dtype = field(name, value, "dtype");
    const Json& shape = field(name, value, "shape");
    const Json& offsets = field(name, value, "data_offsets");
    if (value.size() != 3) malformed(name, "an extra field");
    const auto bits =
        dtype.is_string() ? bits_of_type(dtype.get_ref<const std::string&>()) : std::nullopt;
    if (!bits) malformed(name, text("an unknown dtype ", dtype.dump()));
    out.dtype = dtype.get<std::string>();
    const std::uint64_t size = read_shape(shape, *bits, out);
    if (!offsets.is_array() || offsets.size() != 2) {
      malformed(name, "data_offsets that are not two numbers");
    }
    const std::uint64_t begin = unsigned_number(name, offsets[0], "offset");
    const std::uint64_t end = unsigned_number(name, offsets[1], "offset");
    if (begin > end) malformed(name, "begin after end");
    if (end > data_.size()) malformed(name, text("end past the data, ", end));
    if (end - begin != size) {
      malformed(name, text("a span length ", end - begin, " for ", size, " bytes"));
    }
    out.bytes = data_.subspan(begin, size);
    return out;
  }

  // Entries lie one after the other and fill the data.
  void check_layout(std::vector<SafetensorsEntry>& entries) const {
    const auto begin_of = [&](const SafetensorsEntry& e) {
      return static_cast<std::size_t>(e.bytes.data() - data_.data());
    };
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
      return std::pair(begin_of(a), a.bytes.size()) < std::pair(begin_of(b), b.bytes.size());
    });
    std::size_t next = 0;
    for (const SafetensorsEntry& e : entries) {
      const std::size_t begin = begin_of(e);
      if (begin < next) malformed(e.name, "overlap with the tensor before it");
      if (begin > next) {
        malformed(e.name, next == 0 ? "a hole before the first tensor" : "a hole before it");
      }
      next = begin + e.bytes.size();
    }
    if (next != data_.size()) {
      malformed(text(data_.size() - next, " bytes after the last tensor"));
    }
  }

  std::string_view op_;
  const std::string& path_;
  std::shared_ptr<const std::vector<std::byte>> bytes_;
  std::span<const std::byte> data_{};
};

}  // namespace

SafetensorsFile parse_safetensors(std::string_view op, const std::string& path,
                                  std::vector<std::byte> bytes) {
  return Parser(op, path, std::move(bytes)).run();
}

SafetensorsFile read_safetensors(std::string_view op, const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> bytes(error ? 0 : size);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (error || !in) {
    fail(Errc::io, op, text("file: got '", path, "', expected a file that can be read"));
  }
  return parse_safetensors(op, path, std::move(bytes));
}

}  // namespace spiraltorch
