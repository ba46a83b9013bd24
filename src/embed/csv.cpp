#include "spiraltorch/base/csv.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/unicode.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "from_csv";
constexpr std::size_t kShown = 80;  // bytes of a bad line in a message

std::string shown(std::string_view line) { return std::string(line.substr(0, kShown)); }

// Fields of one line: RFC 4180 quotes for commas and the like, none for tabs.
std::vector<std::string> split(std::string_view line, char delimiter, std::int64_t number) {
  CsvFields out = csv_fields(line, delimiter, delimiter != '\t');
  if (!out.closed) {
    fail(
        Errc::invalid_value, kName,
        text("line ", number, ": got an open quote in '", shown(line), "', expected a closed one"));
  }
  return std::move(out.fields);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void check_options(const std::string& path, const CsvOptions& options) {
  if (ends_with(path, ".gz")) {
    fail(Errc::unsupported, kName,
         text("file: got the compressed '", path, "', expected plain text (gunzip it first)"));
  }
  const auto& [child, parent] = options.columns;
  if (child < 0 || parent < 0 || child == parent || options.weight.value_or(0) < 0) {
    fail(Errc::invalid_value, kName,
         text("columns: got ", child, " and ", parent, ", expected two different ones >= 0"));
  }
}

class Reader {
 public:
  explicit Reader(const CsvOptions& options) : options_(options) {}

  void line(std::string_view text, std::int64_t number, std::size_t offset) {
    if (text.empty() || is_comment(text)) return;
    check_utf8(text, number, offset);
    if (!delimiter_) delimiter_ = pick_delimiter(text);
    const auto fields = split(text, *delimiter_, number);
    if (columns_ == 0) {
      columns_ = fields.size();
      if (options_.header.value_or(looks_like_header(fields))) return;
    }
    add(fields, text, number);
  }

  Hierarchy finish() { return builder_.finish(); }

 private:
  [[nodiscard]] bool is_comment(std::string_view text) const {
    return !options_.comment.empty() && text.substr(0, options_.comment.size()) == options_.comment;
  }

  static void check_utf8(std::string_view line, std::int64_t number, std::size_t offset) {
    if (const auto bad = find_invalid_utf8(line)) {
      fail(Errc::invalid_value, kName,
           text("line ", number, ": got invalid UTF-8 at byte ", offset + *bad,
                " of the file, expected UTF-8 text"));
    }
  }

  [[nodiscard]] char pick_delimiter(std::string_view line) const {
    if (options_.delimiter) return *options_.delimiter;
    for (const char c : {'\t', ',', ';'}) {
      if (line.find(c) != std::string_view::npos) return c;
    }
    return line.find(' ') != std::string_view::npos ? ' ' : '\t';
  }

  [[nodiscard]] bool looks_like_header(const std::vector<std::string>& fields) const {
    static const std::vector<std::string> kNames{"child",  "parent", "id1",  "id2",
                                                 "source", "target", "from", "to"};
    const auto known = [&](int column) {
      if (std::cmp_greater_equal(column, fields.size())) return false;
      std::string name = fields[static_cast<std::size_t>(column)];
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
    };
    return known(options_.columns.first) && known(options_.columns.second);
  }

  void add(const std::vector<std::string>& fields, std::string_view text_line,
           std::int64_t number) {
    const int needed =
        std::max({options_.columns.first, options_.columns.second, options_.weight.value_or(0)}) +
        1;
    if (fields.size() != columns_ || std::cmp_less(fields.size(), needed)) {
      fail(Errc::length_mismatch, kName,
           text("line ", number, ", '", shown(text_line), "': got ", fields.size(),
                " columns, expected ",
                std::max<std::size_t>(columns_, static_cast<std::size_t>(needed))));
    }
    builder_.edge(fields[static_cast<std::size_t>(options_.columns.first)],
                  fields[static_cast<std::size_t>(options_.columns.second)],
                  weight_of(fields, number), "line", number);
  }

  [[nodiscard]] double weight_of(const std::vector<std::string>& fields,
                                 std::int64_t number) const {
    if (!options_.weight) return 1.0;
    const std::string& field = fields[static_cast<std::size_t>(*options_.weight)];
    double value = 0.0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size()) {
      fail(Errc::invalid_value, kName,
           text("line ", number, ": got weight '", shown(field), "', expected a number"));
    }
    return value;
  }

  const CsvOptions& options_;
  HierarchyBuilder builder_{kName};
  std::optional<char> delimiter_;
  std::size_t columns_ = 0;
};

}  // namespace

Hierarchy Hierarchy::from_csv(const std::string& path, const CsvOptions& options) {
  check_options(path, options);
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fail(Errc::io, kName, text("file: got '", path, "', expected a file that can be read"));
  }
  Reader reader(options);
  std::size_t offset = 0;
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::size_t length = line.size() + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (number == 1 && line.substr(0, 3) == "\xEF\xBB\xBF") line.erase(0, 3);  // byte-order mark
    reader.line(line, number, offset);
    offset += length;
  }
  if (in.bad())
    fail(Errc::io, kName, text("file: got a read error in '", path, "', expected data"));
  return reader.finish();
}

}  // namespace spiraltorch
