#include "embed/arrow_column.hpp"

#include <charconv>
#include <cstring>

#include "embed/line_reader.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/half.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

template <class T>
T load(const unsigned char* from, std::int64_t i) {
  T out;
  std::memcpy(&out, from + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return out;
}

bool is_integer(std::string_view format) {
  return format.size() == 1 &&
         std::string_view("cCsSiIlL").find(format[0]) != std::string_view::npos;
}

bool is_text(std::string_view format) { return format == "u" || format == "U" || format == "vu"; }

// Calls f with an integer of the array.
template <class F>
auto with_integer(char format, const unsigned char* from, std::int64_t i, F&& f) {
  switch (format) {
    case 'c':
      return f(std::int64_t{load<std::int8_t>(from, i)});
    case 'C':
      return f(std::int64_t{load<std::uint8_t>(from, i)});
    case 's':
      return f(std::int64_t{load<std::int16_t>(from, i)});
    case 'S':
      return f(std::int64_t{load<std::uint16_t>(from, i)});
    case 'i':
      return f(std::int64_t{load<std::int32_t>(from, i)});
    case 'I':
      return f(std::int64_t{load<std::uint32_t>(from, i)});
    case 'l':
      return f(load<std::int64_t>(from, i));
    default:
      return f(load<std::uint64_t>(from, i));
  }
}

std::string format_of(const ArrowSchema& field) {
  return field.format == nullptr ? "" : field.format;
}

}  // namespace

ArrowNodeColumn::ArrowNodeColumn(const ArrowSchema& schema, std::int64_t index, const char* what,
                                 bool numbers)
    : index_(index) {
  const ArrowSchema& field = *schema.children[index];
  label_ = text(what, ", column ", index);
  if (field.name != nullptr) label_ += text(" '", shown(field.name), "'");
  values_.format = format_of(field);
  if (numbers) {
    const bool real = values_.format == "e" || values_.format == "f" || values_.format == "g";
    if (field.dictionary == nullptr && (real || is_integer(values_.format))) return;
    bad(text("got type '", values_.format, "', expected numbers"));
  }
  const ArrowSchema* names = &field;
  if (field.dictionary != nullptr) {
    if (!is_integer(values_.format))
      bad("got a malformed dictionary, expected whole numbers of entries");
    dictionary_ = true;
    names = field.dictionary;
    entries_.format = format_of(*names);
  }
  const std::string format = format_of(*names);
  if ((is_text(format) || is_integer(format)) && (!dictionary_ || names->dictionary == nullptr)) {
    return;
  }
  bad(text("got type '", format, "', expected strings or integers"));
}

void ArrowNodeColumn::bad(const std::string& message) const {
  throw FormatError(data::kFromArrow, text(label_, ": ", message));
}

void ArrowNodeColumn::bind_values(const ArrowArray& array, std::int64_t needed,
                                  Values& values) const {
  const bool views = values.format == "vu";
  const std::int64_t expected = is_text(values.format) ? 3 : 2;
  if (array.buffers == nullptr || array.offset < 0 || array.length < needed ||
      (views ? array.n_buffers < expected : array.n_buffers != expected)) {
    bad(text("got an array of ", array.length, " elements, ", array.n_buffers,
             " buffers, expected ", needed, " or more, ", expected, " buffers"));
  }
  const auto buffer = [&](std::int64_t i) {
    return static_cast<const unsigned char*>(array.buffers[i]);
  };
  values.valid = array.null_count == 0 ? nullptr : buffer(0);
  if (buffer(0) == nullptr && array.null_count > 0)
    bad("got nulls without a validity map, expected one");
  values.offset = array.offset;
  values.length = array.length;
  values.first = buffer(1);
  if (values.first == nullptr && array.length > 0) bad("got no values, expected some");
  values.bytes = expected == 3 && !views ? buffer(2) : nullptr;
  values.buffers = array.buffers;
  values.buffer_count = array.n_buffers;
}

void ArrowNodeColumn::bind(const ArrowArray& batch, std::int64_t rows) {
  if (index_ >= batch.n_children)
    bad(text("got ", batch.n_children, " columns in a batch, expected the schema's"));
  const ArrowArray& array = *batch.children[index_];
  bind_values(array, batch.offset + rows, values_);
  values_.offset += batch.offset;
  if (!dictionary_) return;
  if (array.dictionary == nullptr) bad("got no dictionary in a batch, expected one");
  bind_values(*array.dictionary, 0, entries_);
}

// Place of a row's value in the buffers.
std::int64_t ArrowNodeColumn::present(const Values& values, std::int64_t row,
                                      std::int64_t place) const {
  const std::int64_t i = values.offset + row;
  if (values.valid == nullptr || data::arrow_bit(values.valid, i)) return i;
  bad(text("row ", place, ": got null, expected a value"));
}

std::string_view ArrowNodeColumn::ranged(const Values& values, std::int64_t i,
                                         std::int64_t place) const {
  const bool wide = values.format == "U";
  const auto at = [&](std::int64_t k) {
    return wide ? load<std::int64_t>(values.first, k)
                : std::int64_t{load<std::int32_t>(values.first, k)};
  };
  const std::int64_t begin = at(i);
  const std::int64_t end = at(i + 1);
  if (begin < 0 || end < begin || (values.bytes == nullptr && end > begin)) {
    bad(text("row ", place, ": got a malformed string, expected bytes within its buffer"));
  }
  if (begin == end) return {};
  return {reinterpret_cast<const char*>(values.bytes) + begin,
          static_cast<std::size_t>(end - begin)};
}

// A view is 16 bytes: a length, then the bytes themselves, or their beginning, buffer and place.
std::string_view ArrowNodeColumn::viewed(const Values& values, std::int64_t i,
                                         std::int64_t place) const {
  constexpr std::int32_t kInline = 12;
  const unsigned char* view = values.first + 16 * i;
  const auto length = load<std::int32_t>(view, 0);
  if (length >= 0 && length <= kInline) {
    return {reinterpret_cast<const char*>(view + 4), static_cast<std::size_t>(length)};
  }
  const std::int64_t buffer = load<std::int32_t>(view, 2);
  const std::int64_t begin = load<std::int32_t>(view, 3);
  const std::int64_t variadic = values.buffer_count - 3;
  const auto* sizes = static_cast<const unsigned char*>(values.buffers[values.buffer_count - 1]);
  if (length < 0 || buffer < 0 || buffer >= variadic || begin < 0 || sizes == nullptr ||
      values.buffers[2 + buffer] == nullptr || begin + length > load<std::int64_t>(sizes, buffer)) {
    bad(text("row ", place, ": got a malformed string, expected bytes within its buffer"));
  }
  return {static_cast<const char*>(values.buffers[2 + buffer]) + begin,
          static_cast<std::size_t>(length)};
}

std::string_view ArrowNodeColumn::value(const Values& values, std::int64_t row,
                                        std::int64_t place) {
  const std::int64_t i = present(values, row, place);
  if (values.format == "vu") return viewed(values, i, place);
  if (is_text(values.format)) return ranged(values, i, place);
  return with_integer(values.format[0], values.first, i, [&](auto whole) -> std::string_view {
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), whole).ptr;
    return {digits_.data(), static_cast<std::size_t>(end - digits_.data())};
  });
}

std::string_view ArrowNodeColumn::name(std::int64_t row, std::int64_t place) {
  std::int64_t at = row;
  if (dictionary_) {
    at = with_integer(values_.format[0], values_.first, present(values_, row, place),
                      [](auto whole) { return static_cast<std::int64_t>(whole); });
    if (at < 0 || at >= entries_.length) {
      bad(text("row ", place, ": got entry ", at, " of a dictionary, expected 0 to ",
               entries_.length - 1));
    }
  }
  const std::string_view name = value(dictionary_ ? entries_ : values_, at, place);
  if (name.size() > LineReader::kLongest) {
    bad(text("row ", place, ": got a name of ", name.size(), " bytes, expected at most ",
             LineReader::kLongest));
  }
  return name;
}

double ArrowNodeColumn::number(std::int64_t row, std::int64_t place) const {
  const std::int64_t i = present(values_, row, place);
  switch (values_.format[0]) {
    case 'e':
      return half_value(load<std::uint16_t>(values_.first, i));
    case 'f':
      return load<float>(values_.first, i);
    case 'g':
      return load<double>(values_.first, i);
    default:
      return with_integer(values_.format[0], values_.first, i,
                          [](auto whole) { return static_cast<double>(whole); });
  }
}

}  // namespace spiraltorch
