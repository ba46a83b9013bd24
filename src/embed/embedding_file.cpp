#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/embedding.hpp"

// Embeddings as safetensors: names, model and training state are strings of the metadata.
namespace spiraltorch {
namespace {

using Json = nlohmann::json;
constexpr const char* kFormat = "spiraltorch.embedding/2";
constexpr const char* kBatchFormat = "spiraltorch.embedding/1";  // of 0.1, which trained in batches

[[noreturn]] void malformed(const std::string& path, std::string_view what) {
  fail(Errc::io, "load",
       text("file '", path, "': got ", what, ", expected an embedding in safetensors"));
}

// Everything that fit() depends on: numbers as JSON, absent ones as null.
Json options_json(const EmbeddingOptions& o) {
  const auto optional = [](const auto& v) { return v ? Json(*v) : Json(); };
  return {{"dim", o.dim},
          {"manifold", o.manifold},
          {"curvature", o.curvature},
          {"epochs", optional(o.epochs)},
          {"batch", optional(o.batch)},
          {"lr", optional(o.lr)},
          {"negatives", optional(o.negatives)},
          {"burn_in", optional(o.burn_in)},
          {"burn_in_factor", optional(o.burn_in_factor)},
          {"sampling_power", o.sampling_power},
          {"init", o.init},
          {"init_radius", optional(o.init_radius)},
          {"init_scale", o.init_scale},
          {"seed", o.seed},
          {"dtype", o.dtype},
          {"grouped", o.grouped},
          {"objective", o.objective},
          {"loss_power", optional(o.loss_power)},
          {"local_negatives", optional(o.local_negatives)},
          {"local_from", optional(o.local_from)},
          {"closure", o.closure},
          // What "auto" was: the file keeps no device.
          {"mode", o.mode == "auto" ? (o.device == "cpu" ? "pools" : "batch") : o.mode}};
}

EmbeddingOptions options_of(const Json& j) {
  EmbeddingOptions o;
  const auto read = [&j](const char* name, auto& into) { j.at(name).get_to(into); };
  const auto read_optional = [&j](const char* name, auto& into) {
    if (!j.at(name).is_null())
      into = j.at(name).get<typename std::decay_t<decltype(into)>::value_type>();
  };
  read("dim", o.dim);
  read("manifold", o.manifold);
  read("curvature", o.curvature);
  read("sampling_power", o.sampling_power);
  read("init", o.init);
  read("init_scale", o.init_scale);
  read("seed", o.seed);
  read("dtype", o.dtype);
  read("grouped", o.grouped);
  read_optional("epochs", o.epochs);
  read_optional("negatives", o.negatives);
  read_optional("batch", o.batch);
  read_optional("lr", o.lr);
  read_optional("burn_in", o.burn_in);
  read_optional("burn_in_factor", o.burn_in_factor);
  read_optional("init_radius", o.init_radius);
  if (!j.contains("mode")) {
    o.mode = "batch";
    return o;
  }
  read("objective", o.objective);
  read_optional("loss_power", o.loss_power);
  read_optional("local_negatives", o.local_negatives);
  read_optional("local_from", o.local_from);
  read("closure", o.closure);
  read("mode", o.mode);
  return o;
}

// The values of an (rows, cols) tensor.
template <class T>
std::vector<T> values_in(const SafetensorsFile& file, std::string_view name, std::int64_t rows,
                         std::int64_t cols, const std::string& path) {
  const char* type = sizeof(T) == 4 ? "F32" : "F64";
  if (cols > kMaxElements / rows) malformed(path, text(rows, " rows of ", cols, " coordinates"));
  const auto found = std::find_if(file.entries.begin(), file.entries.end(),
                                  [&](const SafetensorsEntry& e) { return e.name == name; });
  if (found == file.entries.end() || found->dtype != type ||
      found->shape != std::vector{rows, cols}) {
    malformed(path,
              text("no tensor '", name, "' of type ", type, " and shape [", rows, ", ", cols, "]"));
  }
  std::vector<T> values(static_cast<std::size_t>(rows * cols));
  std::memcpy(values.data(), found->bytes.data(), found->bytes.size());
  return values;
}

// Whether the tensor "vectors" is the table in the unit ball itself.
bool is_unit(const EmbeddingOptions& o) { return o.manifold == "poincare" && o.curvature == -1.0; }

// Outside the unit ball distances have no meaning; coordinates that are not finite are found and
// named where they are used.
void check_inside(const Tensor& table, const std::string& path) {
  const auto values = table.data();
  const auto dim = static_cast<std::size_t>(table.cols());
  for (std::size_t i = 0; i < values.size(); i += dim) {
    double square = 0.0;
    for (std::size_t j = i; j < i + dim; ++j) square += static_cast<double>(values[j]) * values[j];
    if (std::isfinite(square) && square >= 1) {
      malformed(path, text("a point of norm ", std::sqrt(square), " in row ", i / dim));
    }
  }
}

constexpr const char* kWhite = " \t\n\v\f\r";

std::string without_white(const std::string& name, const std::string& space) {
  std::string out;
  for (const char c : name) {
    if (std::string_view(kWhite).find(c) == std::string_view::npos)
      out += c;
    else
      out += space;
  }
  return out;
}

}  // namespace

void HierarchyEmbedding::save(const std::string& path) const {
  check_fitted("save");
  std::vector<SafetensorsEntry> entries;
  const auto put = [&entries](std::string name, const Tensor& x) {
    const std::span values(x.host().get(), static_cast<std::size_t>(x.size()));  // in place
    entries.push_back({std::move(name), "F32", {x.rows(), x.cols()}, std::as_bytes(values)});
  };
  const Tensor here = vectors().to({});
  const Tensor unit = unit_->to({});
  put("vectors", here);
  // Training goes on in the unit ball; rounding the scaled vectors back would lose its bits.
  if (!is_unit(options_)) put("unit_vectors", unit);
  if (!wide_.empty()) {
    entries.push_back(
        {"wide_vectors", "F64", {unit.rows(), unit.cols()}, std::as_bytes(std::span(wide_))});
  }
  write_safetensors("save", path, std::move(entries),
                    {{"format", kFormat},
                     {"names", Json(names_).dump()},
                     {"options", options_json(options_).dump()},
                     {"epochs_done", text(epochs_done_)}});
}

HierarchyEmbedding HierarchyEmbedding::load(const std::string& path) {
  const SafetensorsFile file = read_safetensors("load", path);
  try {
    const SafetensorsMetadata& metadata = file.metadata;
    const std::string& format = metadata.at("format");
    if (format != kFormat && format != kBatchFormat) malformed(path, "another format");
    HierarchyEmbedding out(options_of(Json::parse(metadata.at("options"))));
    out.names_ = Json::parse(metadata.at("names")).get<std::vector<std::string>>();
    for (const std::string& name : out.names_) out.ids_.emplace(name, std::ssize(out.ids_));
    if (out.names_.empty() || out.ids_.size() != out.names_.size()) {
      malformed(path, "names that are missing or repeated");
    }
    out.epochs_done_ = std::stoll(metadata.at("epochs_done"));
    if (out.epochs_done_ < 0) malformed(path, text(out.epochs_done_, " epochs"));
    const char* table = is_unit(out.options_) ? "vectors" : "unit_vectors";
    const std::int64_t rows = std::ssize(out.names_), cols = out.options_.dim;
    const auto values = values_in<float>(file, table, rows, cols, path);
    out.unit_ = Tensor(rows, cols, std::span<const float>(values));
    check_inside(*out.unit_, path);
    if (out.options_.dtype == "float64") {
      out.wide_ = values_in<double>(file, "wide_vectors", rows, cols, path);
    }
    return out;
  } catch (const Error& e) {
    if (e.code() == Errc::io) throw;
    malformed(path, text("options out of range (", e.what(), ")"));
  } catch (const Json::exception& e) {
    malformed(path, text("a header without what is needed (", e.what(), ")"));
  } catch (const std::out_of_range& e) {
    malformed(path, text("metadata without what is needed (", e.what(), ")"));
  } catch (const std::logic_error& e) {
    malformed(path, text("a number that cannot be read (", e.what(), ")"));
  }
}

void HierarchyEmbedding::export_csv(const std::string& path) const {
  const Tensor points = vectors();
  const auto values = points.data();
  const auto cols = static_cast<std::size_t>(points.cols());
  std::string out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const bool quote = names_[i].find_first_of(",\"\n\r") != std::string::npos;
    std::string name;
    for (const char c : names_[i]) name += quote && c == '"' ? "\"\"" : std::string(1, c);
    out += quote ? "\"" + name + "\"" : name;
    for (std::size_t j = 0; j < cols; ++j) {
      out += ',';
      out += to_text(values[i * cols + j]);
    }
    out += '\n';
  }
  const std::array parts{std::as_bytes(std::span(out))};
  write_file("export_csv", path, parts);
}

void HierarchyEmbedding::export_word2vec(const std::string& path,
                                         const std::optional<std::string>& space) const {
  constexpr const char* kOp = "export_word2vec";
  check_fitted(kOp);
  check_finite(kOp);
  if (space && (space->empty() || space->find_first_of(kWhite) != std::string::npos)) {
    fail(Errc::invalid_value, kOp,
         text("space: got '", *space, "', expected characters that are no white space"));
  }
  const Tensor points = vectors();
  const auto values = points.data();
  const auto cols = static_cast<std::size_t>(points.cols());
  std::string out = text(names_.size(), ' ', cols, '\n');
  std::unordered_set<std::string> written;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::string name = space ? without_white(names_[i], *space) : names_[i];
    if (name.find_first_of(kWhite) != std::string::npos) {
      fail(Errc::invalid_value, kOp,
           text("name '", name, "': got white space, expected none (`space` can stand for it)"));
    }
    if (space && !written.insert(name).second) {
      fail(Errc::invalid_value, kOp,
           text("name '", names_[i], "': got '", name, "' a second time, expected a `space` that ",
                "keeps names apart"));
    }
    out += name;
    for (std::size_t j = 0; j < cols; ++j) out += ' ' + to_text(values[i * cols + j]);
    out += '\n';
  }
  const std::array parts{std::as_bytes(std::span(out))};
  write_file(kOp, path, parts);
}

}  // namespace spiraltorch
