#include <bit>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/embedding.hpp"

// Embeddings as safetensors: 8 bytes header length, a JSON header, then the tensors' bytes, all
// little-endian. Names, model and training state are strings of the header's metadata.
namespace spiraltorch {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr const char* kFormat = "spiraltorch.embedding/1";
static_assert(std::endian::native == std::endian::little);

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
          {"grouped", o.grouped}};
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
  return o;
}

Json tensor_entry(Shape shape, std::uint64_t begin, std::uint64_t end) {
  return {{"dtype", "F32"}, {"shape", {shape.rows, shape.cols}}, {"data_offsets", {begin, end}}};
}

// Writes beside the target, then renames: a reader sees the former file or the whole new one.
template <class Write>
void write_atomically(std::string_view op, const std::string& path, Write write) {
  const std::string temporary = path + ".partial";
  std::ofstream out(temporary, std::ios::binary);
  if (out) write(out);
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, path, error);
  if (!out || error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    fail(Errc::io, op, text("file: got no way to write '", path, "', expected one"));
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fail(Errc::io, "load", text("file: got '", path, "', expected a file that can be read"));
  }
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct File {
  Json header;
  std::string bytes;
  std::size_t data;  // where the tensors start

  explicit File(const std::string& path) : bytes(read_file(path)) {
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) malformed(path, "a file of less than 8 bytes");
    std::copy_n(bytes.data(), sizeof length, reinterpret_cast<char*>(&length));
    if (length > kMaxHeader || length > bytes.size() - sizeof length) {
      malformed(path, text("a header of ", length, " bytes"));
    }
    data = sizeof length + length;
    header = Json::parse(bytes.substr(sizeof length, length), nullptr, false);
    if (!header.is_object()) malformed(path, "a header that is not JSON");
  }

  [[nodiscard]] Tensor tensor(const char* name, std::int64_t rows, std::int64_t cols,
                              const std::string& path) const {
    if (cols > kMaxElements / rows) malformed(path, text(rows, " rows of ", cols, " coordinates"));
    const Json& entry = header.at(name);
    const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
    const auto size = static_cast<std::uint64_t>(rows * cols) * sizeof(float);
    const bool fits = entry.at("dtype") == "F32" && entry.at("shape") == Json{rows, cols} &&
                      begin <= end && end - begin == size && end <= bytes.size() - data;
    if (!fits) malformed(path, text("a tensor '", name, "' of another type or size"));
    std::vector<float> values(static_cast<std::size_t>(rows * cols));
    std::copy_n(bytes.data() + data + begin, size, reinterpret_cast<char*>(values.data()));
    return {rows, cols, std::span<const float>(values)};
  }
};

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

}  // namespace

void HierarchyEmbedding::save(const std::string& path) const {
  check_fitted("save");
  const bool scaled = options_.curvature != -1.0;
  const std::uint64_t size = static_cast<std::uint64_t>(unit_->size()) * sizeof(float);
  Json header{{"vectors", tensor_entry(unit_->shape(), 0, size)},
              {"__metadata__",
               {{"format", kFormat},
                {"names", Json(names_).dump()},
                {"options", options_json(options_).dump()},
                {"epochs_done", text(epochs_done_)}}}};
  // Training goes on in the unit ball; rounding the scaled vectors back would lose its bits.
  if (scaled) header["unit_vectors"] = tensor_entry(unit_->shape(), size, 2 * size);
  std::string json = header.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = json.size();
  write_atomically("save", path, [&](std::ofstream& out) {
    const auto put = [&out](const Tensor& x) {
      const auto values = x.data();
      out.write(reinterpret_cast<const char*>(values.data()),
                static_cast<std::streamsize>(values.size() * sizeof(float)));
    };
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out.write(json.data(), static_cast<std::streamsize>(json.size()));
    put(vectors());
    if (scaled) put(*unit_);
  });
}

HierarchyEmbedding HierarchyEmbedding::load(const std::string& path) {
  const File file(path);
  try {
    const Json& metadata = file.header.at("__metadata__");
    if (metadata.at("format") != kFormat) malformed(path, "another format");
    HierarchyEmbedding out(options_of(Json::parse(metadata.at("options").get<std::string>())));
    out.names_ =
        Json::parse(metadata.at("names").get<std::string>()).get<std::vector<std::string>>();
    for (const std::string& name : out.names_) out.ids_.emplace(name, std::ssize(out.ids_));
    if (out.names_.empty() || out.ids_.size() != out.names_.size()) {
      malformed(path, "names that are missing or repeated");
    }
    out.epochs_done_ = std::stoll(metadata.at("epochs_done").get<std::string>());
    if (out.epochs_done_ < 0) malformed(path, text(out.epochs_done_, " epochs"));
    const char* table = out.options_.curvature == -1.0 ? "vectors" : "unit_vectors";
    out.unit_ = file.tensor(table, std::ssize(out.names_), out.options_.dim, path);
    check_inside(*out.unit_, path);
    return out;
  } catch (const Error& e) {
    if (e.code() == Errc::io) throw;
    malformed(path, text("options out of range (", e.what(), ")"));
  } catch (const Json::exception& e) {
    malformed(path, text("a header without what is needed (", e.what(), ")"));
  } catch (const std::logic_error& e) {
    malformed(path, text("a number that cannot be read (", e.what(), ")"));
  }
}

void HierarchyEmbedding::export_csv(const std::string& path) const {
  const auto values = vectors().data();
  write_atomically("export_csv", path, [&](std::ofstream& out) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const bool quote = names_[i].find_first_of(",\"\n\r") != std::string::npos;
      std::string name;
      for (const char c : names_[i]) name += quote && c == '"' ? "\"\"" : std::string(1, c);
      out << (quote ? "\"" + name + "\"" : name);
      for (std::int64_t j = 0; j < options_.dim; ++j) {
        out << ','
            << to_text(values[i * static_cast<std::size_t>(options_.dim) +
                              static_cast<std::size_t>(j)]);
      }
      out << '\n';
    }
  });
}

}  // namespace spiraltorch
