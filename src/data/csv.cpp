#include "spiraltorch/base/csv.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "data/records.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/data/sources.hpp"

namespace spiraltorch {
namespace {

using data::InputFile;
using data::Place;
using dataset::Column;
using dataset::TableOptions;
constexpr const char* kName = "from_csv";

// A decimal number that is finite in float32.
std::optional<float> number_of(std::string field) {
  const std::size_t begin = field.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  field = field.substr(begin, field.find_last_not_of(" \t") + 1 - begin);
  const bool plus = field.size() > 1 && field[0] == '+' && field[1] != '-';
  const char* first = field.data() + (plus ? 1 : 0);
  const char* last = field.data() + field.size();
  double value = 0.0;
  const auto [end, code] = std::from_chars(first, last, value);
  if (end != last) return {};
  if (code == std::errc::result_out_of_range) value = std::strtod(first, nullptr);
  const auto rounded = static_cast<float>(value);
  if (!std::isfinite(rounded)) return {};
  return rounded;
}

class CsvSource final : public data::RecordSource {
 public:
  CsvSource(std::shared_ptr<const InputFile> file, std::span<const Column> inputs,
            std::span<const Column> targets, const TableOptions& options, char delimiter)
      : RecordSource(std::move(file), {.quotes = true}), delimiter_(delimiter) {
    data::RecordReader reader(this->file(), rules(), start());
    if (reader.next()) {
      first_ = fields(reader.record(), {reader.offset(), 0});
    } else if (options.header) {
      bad({0, 0}, 0, "got no line, expected a header");
    }
    if (options.header) {
      named_ = true;
      start_at(reader.position());
    }
    inputs_ = columns(inputs, "inputs");
    targets_ = columns(targets, "targets");
  }

  [[nodiscard]] Sample parse(std::string_view record, Place place) const override {
    const auto values = fields(record, place);
    if (values.size() != first_.size()) {
      bad(place, std::min(values.size(), first_.size()) + 1,
          text("got ", values.size(), " columns, expected ", first_.size()));
    }
    return {row(values, inputs_, place), row(values, targets_, place)};
  }

 private:
  [[nodiscard]] std::vector<std::string> fields(std::string_view line, Place place) const {
    CsvFields out = csv_fields(line, delimiter_);
    if (!out.closed) bad(place, out.fields.size(), "got an open quote, expected a closed one");
    return std::move(out.fields);
  }

  [[nodiscard]] std::vector<std::size_t> columns(std::span<const Column> wanted,
                                                 const char* what) const {
    require(!wanted.empty(), Errc::empty_input, kName,
            text(what, ": got no column, expected at least one"));
    std::vector<std::size_t> out;
    for (const Column& column : wanted) out.push_back(place_of(column, what));
    return out;
  }

  [[nodiscard]] std::size_t place_of(const Column& column, const char* what) const {
    if (const auto* index = std::get_if<std::int64_t>(&column)) {
      if (*index < 0 || *index >= std::ssize(first_)) {
        fail(Errc::out_of_range, kName,
             text(what, ": got column ", *index, ", expected one in [0, ", first_.size(), ")"));
      }
      return static_cast<std::size_t>(*index);
    }
    const auto& name = std::get<std::string>(column);
    for (std::size_t i = 0; named_ && i < first_.size(); ++i) {
      if (first_[i] == name) return i;
    }
    fail(Errc::out_of_range, kName,
         text(what, ": got column '", name, "', expected a name of the header"));
  }

  [[nodiscard]] Tensor row(const std::vector<std::string>& values,
                           const std::vector<std::size_t>& columns, Place place) const {
    std::vector<float> out;
    out.reserve(columns.size());
    for (const std::size_t column : columns) {
      const auto value = number_of(values[column]);
      if (!value) {
        bad(place, column + 1,
            text("got '", values[column].substr(0, 80), "', expected a finite decimal number"));
      }
      out.push_back(*value);
    }
    return {1, std::ssize(out), std::span<const float>(out)};
  }

  char delimiter_;
  bool named_ = false;
  std::vector<std::string> first_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> targets_;
};

}  // namespace

DataLoader dataset::from_csv(const std::string& path, std::span<const Column> inputs,
                             std::span<const Column> targets, const TableOptions& options) {
  const bool tabs = path.size() >= 4 && path.compare(path.size() - 4, 4, ".tsv") == 0;
  const char delimiter = options.delimiter.value_or(tabs ? '\t' : ',');
  require(delimiter != '"' && delimiter != '\n' && delimiter != '\r', Errc::invalid_value, kName,
          "delimiter: got a quote or line end, expected another character");
  return DataLoader(std::make_shared<CsvSource>(std::make_shared<InputFile>(kName, path), inputs,
                                                targets, options, delimiter));
}

}  // namespace spiraltorch
