#include <cmath>
#include <nlohmann/json.hpp>

#include "data/records.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/data/sources.hpp"

namespace spiraltorch {
namespace {

using data::InputFile;
using data::Place;
using Json = nlohmann::json;

class JsonSource final : public data::RecordSource {
 public:
  JsonSource(std::shared_ptr<const InputFile> file, std::string input, std::string target)
      : RecordSource(std::move(file), {.skip_spaces = true}),
        input_(std::move(input)),
        target_(std::move(target)) {}

  [[nodiscard]] Sample parse(std::string_view record, Place place) const override {
    Json line;
    try {
      line = Json::parse(record);
    } catch (const Json::parse_error& e) {
      bad(place, e.byte, "got a syntax error, expected a JSON object");
    } catch (const Json::exception&) {
      bad(place, 1, "got a number beyond double, expected finite numbers");
    }
    if (!line.is_object()) bad(place, 1, text("got ", line.type_name(), ", expected an object"));
    return {tensor(line, input_, place), tensor(line, target_, place)};
  }

 private:
  // A number, a list (one row) or a list of equal rows.
  [[nodiscard]] Tensor tensor(const Json& line, const std::string& key, Place place) const {
    const auto found = line.find(key);
    if (found == line.end()) bad(place, 1, text("got no key '", key, "', expected one"));
    const Json& value = *found;
    std::vector<float> out;
    if (!value.is_array() || value.empty() || !value[0].is_array()) {
      add(value.is_array() ? value : Json::array({value}), key, place, out);
      return {1, std::ssize(out), std::span<const float>(out)};
    }
    for (const Json& row : value) {
      if (!row.is_array() || row.size() != value[0].size()) {
        bad(place, 1, text("got unequal rows in '", key, "', expected equal ones"));
      }
      add(row, key, place, out);
    }
    const auto rows = static_cast<std::int64_t>(value.size());
    return {rows, std::ssize(out) / rows, std::span<const float>(out)};
  }

  void add(const Json& row, const std::string& key, Place place, std::vector<float>& out) const {
    if (row.empty()) bad(place, 1, text("got an empty list in '", key, "', expected numbers"));
    for (const Json& item : row) {
      const float value = item.is_number() ? static_cast<float>(item.get<double>()) : NAN;
      if (!std::isfinite(value)) {
        bad(place, 1,
            text("got ", item.is_number() ? "a number beyond float32" : item.type_name(), " in '",
                 key, "', expected finite numbers"));
      }
      out.push_back(value);
    }
  }

  std::string input_;
  std::string target_;
};

}  // namespace

DataLoader dataset::from_jsonl(const std::string& path, const std::string& input,
                               const std::string& target) {
  return DataLoader(
      std::make_shared<JsonSource>(std::make_shared<InputFile>("from_jsonl", path), input, target));
}

}  // namespace spiraltorch
