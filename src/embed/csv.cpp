#include "spiraltorch/base/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "embed/hierarchy_builder.hpp"
#include "embed/readers.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr const char* kName = "from_csv";

void check_options(const CsvOptions& options) {
  const auto& [child, parent] = options.columns;
  if (child < 0 || parent < 0 || child == parent || options.weight.value_or(0) < 0) {
    fail(Errc::invalid_value, kName,
         text("columns: got ", child, " and ", parent, ", expected two different ones >= 0"));
  }
  const auto delimiter = static_cast<unsigned char>(options.delimiter.value_or('\t'));
  if (delimiter >= 0x80 || delimiter == '\n' || delimiter == '\r' || delimiter == '"') {
    fail(
        Errc::invalid_value, kName,
        "delimiter: got a line end, a quote or a part of a character, expected an ASCII character");
  }
}

std::size_t at(int column) { return static_cast<std::size_t>(column); }

// Fields of one line at a time: RFC 4180 quotes for commas and the like, none for tabs.
class Fields {
 public:
  // False: an open quote.
  bool split(std::string_view line, char delimiter) {
    views_.clear();
    if (delimiter != '\t' && line.find('"') != std::string_view::npos) {
      CsvFields quoted = csv_fields(line, delimiter);
      owned_ = std::move(quoted.fields);
      views_.assign(owned_.begin(), owned_.end());
      return quoted.closed;
    }
    for (std::size_t begin = 0;;) {
      const std::size_t end = line.find(delimiter, begin);
      views_.push_back(line.substr(begin, end - begin));
      if (end == std::string_view::npos) return true;
      begin = end + 1;
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }
  [[nodiscard]] std::string_view operator[](int column) const { return views_[at(column)]; }

 private:
  std::vector<std::string_view> views_;
  std::vector<std::string> owned_;
};

class CsvReader {
 public:
  CsvReader(LineReader lines, const CsvOptions& options)
      : lines_(std::move(lines)),
        options_(options),
        needed_(at(std::max(
                    {options.columns.first, options.columns.second, options.weight.value_or(0)})) +
                1) {}

  Hierarchy read() {
    while (lines_.next()) line();
    return builder_.finish();
  }

 private:
  void line() {
    const std::string_view line = lines_.line();
    if (line.empty()) return;
    if (!options_.comment.empty() && line.starts_with(options_.comment)) return;
    lines_.check_text();
    if (!delimiter_) delimiter_ = pick_delimiter(line);
    if (!fields_.split(line, *delimiter_)) {
      fail(Errc::invalid_value, kName,
           text(lines_.where(), ": got an open quote, expected a closed one"));
    }
    if (columns_ == 0) {
      columns_ = fields_.size();
      if (options_.header.value_or(looks_like_header())) return;
    }
    if (fields_.size() != columns_ || fields_.size() < needed_) {
      fail(Errc::length_mismatch, kName,
           text(lines_.where(), ": got ", fields_.size(), " columns, expected ",
                std::max(columns_, needed_)));
    }
    builder_.edge(fields_[options_.columns.first], fields_[options_.columns.second], weight(),
                  "line", lines_.number());
  }

  [[nodiscard]] char pick_delimiter(std::string_view line) const {
    if (options_.delimiter) return *options_.delimiter;
    for (const char c : {'\t', ',', ';'}) {
      if (line.find(c) != std::string_view::npos) return c;
    }
    return line.find(' ') != std::string_view::npos ? ' ' : '\t';
  }

  [[nodiscard]] bool looks_like_header() const {
    constexpr std::array<std::string_view, 8> kNames{"child",  "parent", "id1",  "id2",
                                                     "source", "target", "from", "to"};
    const auto known = [&](int column) {
      if (at(column) >= fields_.size()) return false;
      std::string name(fields_[column].substr(0, 8));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
    };
    return known(options_.columns.first) && known(options_.columns.second);
  }

  [[nodiscard]] double weight() const {
    if (!options_.weight) return 1.0;
    const std::string_view field = fields_[*options_.weight];
    double value = 0.0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size()) {
      fail(Errc::invalid_value, kName,
           text("line ", lines_.number(), ": got weight '", shown(field), "', expected a number"));
    }
    return value;
  }

  LineReader lines_;
  const CsvOptions& options_;
  std::size_t needed_;       // columns
  std::size_t columns_ = 0;  // of the first line
  HierarchyBuilder builder_{kName};
  std::optional<char> delimiter_;
  Fields fields_;
};

}  // namespace

Hierarchy read_csv(LineReader lines, const CsvOptions& options) {
  return CsvReader(std::move(lines), options).read();
}

Hierarchy Hierarchy::from_csv(const std::string& path, const CsvOptions& options) {
  check_options(options);
  return read_csv(LineReader(kName, path), options);
}

}  // namespace spiraltorch
