#include "spiraltorch/base/device_caps.hpp"

#include <array>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {

DeviceCaps template_caps(DeviceId device) {
  DeviceCaps caps;
  caps.device = device;
  caps.lane_width = 32;
  caps.subgroup = true;
  switch (device.type) {
    case DeviceType::wgpu:
      caps.max_workgroup = 256;
      caps.shared_bytes = 16384;
      caps.compute_units = 32;
      return caps;
    case DeviceType::cuda:
      caps.max_workgroup = 1024;
      caps.shared_bytes = 98304;
      caps.compute_units = 80;
      return caps;
    case DeviceType::hip:
      caps.max_workgroup = 1024;
      caps.shared_bytes = 65536;
      caps.compute_units = 96;
      return caps;
    default:
      fail(Errc::invalid_value, "template_caps",
           text("device: got ", to_text(device), ", expected wgpu, cuda or hip"));
  }
}

std::string fingerprint(const DeviceCaps& caps) {
  const std::string facts =
      text(backend_name(caps.device.type), '\n', caps.name, '\n', caps.arch, '\n', caps.driver,
           '\n', caps.lane_width, ' ', caps.max_workgroup, ' ', caps.subgroup ? 1 : 0, ' ',
           caps.shared_bytes, ' ', caps.compute_units, ' ', caps.memory_bytes, ' ',
           caps.cache_bytes, ' ', caps.core_cache_bytes, ' ', caps.binding_bytes);
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : facts) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = 0; i < 16; ++i) out[i] = kDigits[(hash >> (60 - 4 * i)) & 15];
  return out;
}

}  // namespace spiraltorch
