#include "spiraltorch/nn/state_file.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/half.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/manifold.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch::nn {
namespace {

using Json = nlohmann::json;
constexpr const char* kManifolds = "manifolds";

std::string to_json(const std::map<std::string, double>& manifolds) {
  std::string out = "{";
  for (const auto& [name, curvature] : manifolds) {
    if (out.size() > 1) out += ',';
    out += text(Json(name).dump(), ':', curvature);
  }
  return out + "}";
}

std::map<std::string, double> manifolds_in(std::string_view op, const std::string& path,
                                           const SafetensorsMetadata& metadata) {
  const auto found = metadata.find(kManifolds);
  if (found == metadata.end()) return {};
  try {
    return Json::parse(found->second).get<std::map<std::string, double>>();
  } catch (const Json::exception& error) {
    throw FormatError(op, text("file '", path, "', metadata 'manifolds': got ", error.what(),
                               ", expected curvatures by name"));
  }
}

template <class T, class F>
std::vector<float> converted(std::span<const std::byte> bytes, F to) {
  std::vector<float> out(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = to(value);
  }
  return out;
}

std::vector<float> values_of(std::string_view op, const SafetensorsEntry& entry, bool cast) {
  if (entry.dtype == "F32") return converted<float>(entry.bytes, [](float v) { return v; });
  if (cast && entry.dtype == "F64") {
    return converted<double>(entry.bytes, [](double v) { return static_cast<float>(v); });
  }
  if (cast && entry.dtype == "F16") {
    return converted<std::uint16_t>(
        entry.bytes, [](std::uint16_t v) { return static_cast<float>(half_value(v)); });
  }
  if (cast && entry.dtype == "BF16") {
    return converted<std::uint16_t>(entry.bytes, [](std::uint16_t v) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(v) << 16);
    });
  }
  const bool is_float = entry.dtype == "F64" || entry.dtype == "F16" || entry.dtype == "BF16";
  fail(Errc::dtype, op,
       text("entry '", entry.name, "': got ", entry.dtype, ", expected F32",
            is_float ? " (cast=True rounds it)" : ""));
}

Shape shape_of(std::string_view op, const SafetensorsEntry& entry) {
  const auto& dims = entry.shape;
  if (dims.size() == 1 && dims[0] > 0) return {1, dims[0]};
  if (dims.size() == 2 && dims[0] > 0 && dims[1] > 0) return {dims[0], dims[1]};
  std::string got;
  for (const std::int64_t d : dims) got += text(got.empty() ? "" : ", ", d);
  fail(Errc::shape_mismatch, op,
       text("entry '", entry.name, "': got shape [", got, "], expected [rows, cols]"));
}

Tensor tensor_of(std::string_view op, const SafetensorsEntry& entry, bool cast) {
  const Shape shape = shape_of(op, entry);
  const auto values = values_of(op, entry, cast);
  return {shape.rows, shape.cols, std::span<const float>(values)};
}

}  // namespace

void write_state_file(std::string_view op, const std::string& path, std::string_view kind,
                      const StateFile& file) {
  SafetensorsMetadata metadata = file.metadata;
  metadata["format"] = "spiraltorch";
  metadata["format_version"] = "1";
  metadata["kind"] = std::string(kind);
  metadata[kManifolds] = to_json(file.manifolds);
  std::vector<SafetensorsEntry> entries;
  std::vector<std::shared_ptr<const float>> kept;
  for (const auto& [name, tensor] : file.tensors) {
    kept.push_back(tensor.host());
    const std::span values(kept.back().get(), static_cast<std::size_t>(tensor.size()));
    entries.push_back({name, "F32", {tensor.rows(), tensor.cols()}, std::as_bytes(values)});
  }
  write_safetensors(op, path, std::move(entries), metadata);
}

StateFile read_state_file(std::string_view op, const std::string& path, std::string_view kind) {
  const SafetensorsFile raw = read_safetensors(op, path);
  const auto expect = [&](const char* key, std::string_view value) {
    const auto found = raw.metadata.find(key);
    if (found != raw.metadata.end() && found->second == value) return;
    throw FormatError(
        op, text("file '", path, "', metadata '", key, "': got ",
                 found == raw.metadata.end() ? "none" : found->second, ", expected '", value, "'"));
  };
  expect("format", "spiraltorch");
  expect("format_version", "1");
  expect("kind", kind);
  StateFile out;
  out.manifolds = manifolds_in(op, path, raw.metadata);
  for (const SafetensorsEntry& entry : raw.entries) {
    out.tensors.emplace_back(entry.name, tensor_of(op, entry, false));
  }
  out.metadata = raw.metadata;
  return out;
}

std::map<std::string, double> manifolds_of(const NamedParameters& named, std::string_view prefix) {
  std::map<std::string, double> out;
  for (const auto& [name, parameter] : named) {
    const double curvature = curvature_of(parameter.manifold());
    if (curvature != 0.0) out.emplace(text(prefix, name), curvature);
  }
  return out;
}

void check_manifolds(std::string_view op, const std::map<std::string, double>& manifolds,
                     const NamedParameters& named, std::string_view prefix) {
  for (const auto& [name, parameter] : named) {
    const auto found = manifolds.find(text(prefix, name));
    if (found == manifolds.end()) continue;
    const double own = curvature_of(parameter.manifold());
    if (own != 0.0 && curvatures_match(found->second, own)) continue;
    fail(Errc::curvature_mismatch, op,
         text("parameter '", name, "': got recorded curvature ", found->second, ", expected ",
              own == 0.0 ? "none" : text(own)));
  }
}

void Module::save(const std::string& path) const {
  const NoGrad guard;
  const NamedParameters named = named_parameters();
  StateFile file{manifolds_of(named), {}, {}};
  for (const auto& [name, parameter] : named) file.tensors.emplace_back(name, parameter);
  write_state_file("save", path, "state_dict", file);
}

void Module::load(const std::string& path, bool strict, bool cast) {
  const NoGrad guard;
  const SafetensorsFile raw = read_safetensors("load", path);
  const NamedParameters named = named_parameters();
  check_manifolds("load", manifolds_in("load", path, raw.metadata), named);
  StateDict state;
  for (const SafetensorsEntry& entry : raw.entries) {
    const bool known = std::any_of(named.begin(), named.end(),
                                   [&](const auto& own) { return own.first == entry.name; });
    if (known) {
      state.emplace_back(entry.name, tensor_of("load", entry, cast));
    } else if (strict) {
      fail(Errc::invalid_value, "load",
           text("file '", path, "': got '", entry.name, "', expected only the parameters' names"));
    }
  }
  load_state_dict(state, strict);
}

}  // namespace spiraltorch::nn
