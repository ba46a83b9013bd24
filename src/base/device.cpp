#include "spiraltorch/base/device.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr std::array<std::string_view, 4> kBackends{"cpu", "wgpu", "cuda", "hip"};

std::string lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::optional<std::int32_t> parse_ordinal(std::string_view digits) {
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return {};
  std::int32_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<DeviceRequest> try_parse(std::string_view name) {
  if (name == "auto") return DeviceRequest{.device = {}, .is_auto = true};
  if (name == "mps") return DeviceRequest{.device = {DeviceType::wgpu, 0}, .is_metal = true};
  if (name == "cpu") return DeviceRequest{};
  const auto colon = name.find(':');
  const auto kind = std::find(kBackends.begin() + 1, kBackends.end(), name.substr(0, colon));
  if (kind == kBackends.end()) return {};
  const auto type = static_cast<DeviceType>(kind - kBackends.begin());
  if (colon == std::string_view::npos) return DeviceRequest{.device = {type, 0}};
  const auto ordinal = parse_ordinal(name.substr(colon + 1));
  if (!ordinal) return {};
  return DeviceRequest{.device = {type, *ordinal}};
}

}  // namespace

std::string_view backend_name(DeviceType type) noexcept {
  return kBackends[static_cast<std::size_t>(type)];
}

std::string to_text(DeviceId device) {
  std::string out(backend_name(device.type));
  if (device.index != 0) out += text(":", device.index);
  return out;
}

DeviceRequest parse_device(std::string_view op, std::string_view name) {
  const auto request = try_parse(lower(name));
  if (!request) {
    fail(Errc::invalid_value, op,
         text("device: got '", name,
              "', expected cpu, wgpu[:N], mps, cuda[:N], hip[:N] or auto, N in 0-999"));
  }
  return *request;
}

}  // namespace spiraltorch
