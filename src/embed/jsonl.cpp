#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "embed/hierarchy_builder.hpp"
#include "embed/readers.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

using Json = nlohmann::json;
constexpr const char* kName = "from_jsonl";

// Takes the values of some keys out of one object as it is parsed; nothing else is kept.
class EdgeObject final : public nlohmann::json_sax<Json> {
 public:
  enum Field : std::size_t { child, parent, weight, none };

  EdgeObject(const LineReader& lines, const JsonlKeys& keys) : lines_(lines), keys_(keys) {}

  void parse(std::string_view line) {
    given_.fill(false);
    depth_ = 0;
    field_ = none;
    Json::sax_parse(line.begin(), line.end(), this);
  }
  // "key 'parent'" of a key that the object lacks.
  void check() const {
    for (const Field field : {child, parent, weight}) {
      if (given_[field] || (field == weight && !keys_.weight)) continue;
      bad(text("got no key '", shown(name(field)), "', expected one"));
    }
  }
  [[nodiscard]] const std::string& node(Field field) const { return names_[field]; }
  [[nodiscard]] double number() const { return keys_.weight ? weight_ : 1.0; }

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("a truth value"); }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value), to_text(static_cast<long long>(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value), to_text(static_cast<unsigned long long>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return number(value, {}); }
  bool string(string_t& value) override {
    check_object("a string");
    if (depth_ != 1 || field_ == none) return true;
    if (field_ == weight) other("a string");
    names_[field_].swap(value);
    given_[field_] = true;
    return true;
  }
  bool binary(binary_t&) override { return other("bytes"); }
  bool start_object(std::size_t) override {
    if (depth_ > 0) other("an object");
    ++depth_;
    return true;
  }
  bool key(string_t& value) override {
    if (depth_ != 1) return true;
    field_ = value == keys_.child                     ? child
             : value == keys_.parent                  ? parent
             : keys_.weight && value == *keys_.weight ? weight
                                                      : none;
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    other("a list");
    ++depth_;
    return true;
  }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t place, const std::string&, const Json::exception& e) override {
    if (dynamic_cast<const Json::parse_error*>(&e) == nullptr) {
      bad("got a number beyond double, expected a finite one");
    }
    bad(text("got a syntax error at byte ", place, " of the line, expected a JSON object"));
  }

 private:
  [[noreturn]] void bad(const std::string& message) const {
    fail(Errc::invalid_value, kName, text(lines_.where(), ": ", message));
  }
  [[nodiscard]] const std::string& name(Field field) const {
    return field == child ? keys_.child : field == parent ? keys_.parent : *keys_.weight;
  }
  void check_object(std::string_view got) const {
    if (depth_ == 0) bad(text("got ", got, ", expected an object"));
  }
  // A value that is no name and no weight.
  bool other(std::string_view got) const {
    check_object(got);
    if (depth_ == 1 && field_ != none) {
      bad(text("got ", got, " in '", shown(name(field_)), "', expected ",
               field_ == weight ? "a number" : "a string or a whole number"));
    }
    return true;
  }
  bool number(double value, std::string whole) {
    check_object("a number");
    if (depth_ != 1 || field_ == none) return true;
    if (field_ == weight) {
      weight_ = value;
    } else {
      if (whole.empty()) other("a number that is not whole");
      names_[field_] = std::move(whole);
    }
    given_[field_] = true;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  const LineReader& lines_;
  const JsonlKeys& keys_;
  std::int64_t depth_ = 0;
  Field field_ = none;  // of the key at hand
  std::array<std::string, 2> names_;
  double weight_ = 1.0;
  std::array<bool, 3> given_{};
};

}  // namespace

Hierarchy read_jsonl(LineReader lines, const JsonlKeys& keys) {
  HierarchyBuilder builder(kName);
  EdgeObject object(lines, keys);
  while (lines.next()) {
    if (lines.line().find_first_not_of(" \t\r") == std::string_view::npos) continue;
    lines.check_text();
    object.parse(lines.line());
    object.check();
    builder.edge(object.node(EdgeObject::child), object.node(EdgeObject::parent), object.number(),
                 "line", lines.number());
  }
  return builder.finish();
}

Hierarchy Hierarchy::from_jsonl(const std::string& path, const std::string& child,
                                const std::string& parent,
                                const std::optional<std::string>& weight) {
  if (child == parent || weight == child || weight == parent) {
    fail(Errc::invalid_value, kName,
         text("keys: got '", child, "', '", parent, "' and '", weight.value_or("(no weight)"),
              "', expected different ones"));
  }
  return read_jsonl(LineReader(kName, path), {child, parent, weight});
}

}  // namespace spiraltorch
