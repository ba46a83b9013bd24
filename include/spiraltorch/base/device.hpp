#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

enum class DeviceType : std::uint8_t { cpu, wgpu, cuda, hip };

/// One compute device: a kind and an ordinal.
struct DeviceId {
  DeviceType type = DeviceType::cpu;
  std::int32_t index = 0;
  [[nodiscard]] constexpr bool is_cpu() const { return type == DeviceType::cpu; }
  friend constexpr bool operator==(const DeviceId&, const DeviceId&) = default;
};

/// Canonical name: "cpu", "wgpu", "cuda:1" (ordinal 0 is left out).
[[nodiscard]] SPIRALTORCH_API std::string to_text(DeviceId device);

/// Name of the back end that serves a device type.
[[nodiscard]] SPIRALTORCH_API std::string_view backend_name(DeviceType type) noexcept;

/// What a user may ask for: a device, or the choice to be made here.
struct DeviceRequest {
  DeviceId device;
  bool is_auto = false;   ///< "auto": the first usable of cuda, hip, wgpu, cpu
  bool is_metal = false;  ///< "mps": the first WebGPU adapter on Metal
};

/// Reads "cpu", "wgpu[:N]", "mps", "cuda[:N]", "hip[:N]" or "auto", ASCII case ignored, N decimal
/// in 0-999 without leading zeros. Throws `invalid_value` listing these forms.
[[nodiscard]] SPIRALTORCH_API DeviceRequest parse_device(std::string_view op,
                                                         std::string_view name);

}  // namespace spiraltorch
