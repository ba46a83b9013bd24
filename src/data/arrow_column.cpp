#include "data/arrow_column.hpp"

#include <charconv>
#include <string_view>

#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::data {
namespace {

struct Type {
  char format;
  std::string_view element;  // as in elements.hpp
};
constexpr Type kTypes[] = {{'c', "i1"}, {'C', "u1"}, {'s', "i2"}, {'S', "u2"},
                           {'i', "i4"}, {'I', "u4"}, {'l', "i8"}, {'L', "u8"},
                           {'e', "f2"}, {'f', "f4"}, {'g', "f8"}};

std::string_view element_of(std::string_view format) {
  for (const Type& type : kTypes) {
    if (format.size() == 1 && format[0] == type.format) return type.element;
  }
  return {};
}

// N of "+w:N"; 0 for anything else.
std::int64_t list_size(std::string_view format) {
  std::int64_t size = 0;
  if (format.substr(0, 3) != "+w:") return 0;
  const auto [end, code] = std::from_chars(format.data() + 3, format.data() + format.size(), size);
  return code == std::errc() && end == format.data() + format.size() && size > 0 ? size : 0;
}

}  // namespace

ArrowColumn::ArrowColumn(const ArrowSchema& field, std::int64_t index)
    : name_(field.name == nullptr ? "" : field.name), index_(index) {
  const ArrowSchema* at = &field;
  for (;;) {
    if (at->dictionary != nullptr) bad("got a dictionary, expected plain values");
    const std::string_view format = at->format == nullptr ? "" : at->format;
    const std::int64_t list = list_size(format);
    if (list == 0) {
      const std::string_view element = element_of(format);
      if (format != "b" && element.empty()) {
        bad(text("got type '", format, "', expected numbers, bool or fixed-size lists of them"));
      }
      if (element.empty()) return;
      read_ = element_reader(element);
      size_ = element[1] - '0';
      return;
    }
    if (width_ > kMaxElements / list || at->n_children != 1) bad("got a malformed list type");
    lists_.push_back(list);
    width_ *= list;
    at = at->children[0];
  }
}

void ArrowColumn::bad(const std::string& message) const {
  throw FormatError(kFromArrow, text("column ", index_, " '", name_, "': ", message));
}

ArrowColumn::Level ArrowColumn::level(const ArrowArray& array, std::int64_t buffers,
                                      std::int64_t needed) {
  if (array.n_buffers != buffers || array.offset < 0 || array.length < needed ||
      array.buffers == nullptr) {
    bad(text("got an array of ", array.length, " elements, ", array.n_buffers,
             " buffers, expected ", needed, " or more, ", buffers, " buffers"));
  }
  if (array.dictionary != nullptr) bad("got a dictionary, expected plain values");
  const auto* valid = static_cast<const unsigned char*>(array.buffers[0]);
  if (valid == nullptr && array.null_count > 0) bad("got nulls without a validity map");
  return {array.null_count == 0 ? nullptr : valid, array.offset, needed};
}

void ArrowColumn::bind(const ArrowArray& batch, std::int64_t rows) {
  if (index_ >= batch.n_children) bad(text("got ", batch.n_children, " columns in a batch"));
  const ArrowArray* at = batch.children[index_];
  std::int64_t needed = batch.offset + rows;
  levels_.clear();
  for (const std::int64_t size : lists_) {
    levels_.push_back(level(*at, 1, needed));
    if (at->n_children != 1) bad("got a list without its elements");
    if (__builtin_add_overflow(needed, at->offset, &needed) ||
        __builtin_mul_overflow(needed, size, &needed)) {
      bad("got an array beyond 2**63 elements");
    }
    at = at->children[0];
  }
  levels_.push_back(level(*at, 2, needed));
  levels_.front().offset += batch.offset;
  values_ = static_cast<const unsigned char*>(at->buffers[1]);
  if (values_ == nullptr) bad("got no values");
}

void ArrowColumn::read(std::int64_t row, std::int64_t place, std::vector<float>& out) const {
  std::int64_t begin = row;
  std::int64_t count = 1;
  for (std::size_t k = 0; k < levels_.size(); ++k) {
    begin += levels_[k].offset;
    for (std::int64_t i = 0; levels_[k].valid != nullptr && i < count; ++i) {
      if (!arrow_bit(levels_[k].valid, begin + i)) {
        bad(text("row ", place, ": got null, expected a number"));
      }
    }
    if (k < lists_.size()) {
      begin *= lists_[k];
      count *= lists_[k];
    }
  }
  for (std::int64_t i = begin; i < begin + count; ++i) {
    out.push_back(read_ == nullptr ? (arrow_bit(values_, i) ? 1.0F : 0.0F)
                                   : static_cast<float>(read_(values_ + i * size_, false)));
  }
}

}  // namespace spiraltorch::data
