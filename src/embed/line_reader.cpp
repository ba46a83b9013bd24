#include "embed/line_reader.hpp"

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/unicode.hpp"

namespace spiraltorch {
namespace {

constexpr std::size_t kShown = 80;

}  // namespace

LineReader::LineReader(const char* op, const std::string& path)
    : LineReader(op, open_bytes(op, path)) {}

LineReader::LineReader(const char* op, std::unique_ptr<ByteSource> from)
    : op_(op), from_(std::move(from)) {}

// The rest of a piece that ends within a line.
void LineReader::keep(std::string_view part) {
  if (cut_.size() + part.size() > kLongest) {
    cut_.append(part.substr(0, kShown));
    line_ = cut_;
    fail(Errc::invalid_value, op_,
         text(where(), ": got more than ", kLongest, " bytes, expected a shorter line"));
  }
  cut_.append(part);
}

bool LineReader::next() {
  cut_.clear();
  offset_ = next_offset_;
  ++number_;
  for (;;) {
    if (rest_.empty()) {
      rest_ = from_->next();
      if (rest_.empty()) break;
    }
    const std::size_t end = rest_.find('\n');
    const std::string_view part = rest_.substr(0, end);
    if (end == std::string_view::npos || !cut_.empty() || part.size() > kLongest) keep(part);
    next_offset_ += part.size();
    if (end == std::string_view::npos) {
      rest_ = {};
      continue;
    }
    line_ = cut_.empty() ? part : cut_;
    rest_.remove_prefix(end + 1);
    ++next_offset_;
    trim();
    return true;
  }
  line_ = cut_;  // a last line without an end
  if (next_offset_ == offset_) return false;
  trim();
  return true;
}

void LineReader::trim() {
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  if (number_ != 1 || !line_.starts_with("\xEF\xBB\xBF")) return;
  line_.remove_prefix(3);
  offset_ += 3;
}

void LineReader::check_text() const {
  if (const auto bad = find_invalid_utf8(line_)) {
    fail(Errc::invalid_value, op_,
         text("line ", number_, ": got invalid UTF-8 at byte ", offset_ + *bad,
              " of the file, expected UTF-8 text"));
  }
  const std::size_t nul = line_.find('\0');
  if (nul == std::string_view::npos) return;
  fail(Errc::invalid_value, op_,
       text("line ", number_, ": got a NUL at byte ", offset_ + nul,
            " of the file, expected UTF-8 text"));
}

std::string LineReader::where() const { return text("line ", number_, ", '", shown(line_), "'"); }

std::string shown(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (std::size_t i = 0; i < bytes.size() && i < kShown;) {
    const auto code = first_code_point(bytes.substr(i));
    const std::size_t length = code ? utf8_length(bytes[i]) : 1;
    if (i + length > kShown) break;
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (code && (*code >= 0x20 || *code == '\t') && *code != 0x7F) {
      out.append(bytes.substr(i, length));
    } else {
      out.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15U]});
    }
    i += length;
  }
  return out;
}

}  // namespace spiraltorch
