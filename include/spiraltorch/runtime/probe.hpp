#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device_caps.hpp"

namespace spiraltorch {

/// What a device says of itself and of its run-time libraries; where it is absent, the template of
/// its kind with the reason in `error`. "auto" means what it means for a session. Never warns;
/// throws `invalid_value` for a string that names no device.
///
/// @code
///   const DeviceCaps caps = describe_device("hip");
///   if (!caps.available) std::puts(caps.error.c_str());
/// @endcode
[[nodiscard]] SPIRALTORCH_API DeviceCaps describe_device(std::string_view device = "auto");
[[nodiscard]] SPIRALTORCH_API DeviceCaps describe_device(DeviceId device);

/// Devices whose description is `available`: the CPU first, then by kind and ordinal.
[[nodiscard]] SPIRALTORCH_API std::vector<DeviceId> available_devices();

/// A device that the HIP runtime enumerates, or that the environment hints at.
struct HipDevice {
  std::uint32_t id = 0;
  std::string name;
  bool multi_node = false;  ///< whether RCCL can be opened
};

/// Whether HIP is here. Hints of the environment never make it executable.
struct HipProbe {
  bool available = false;    ///< initialised, or the environment says so
  bool initialized = false;  ///< the runtime opens, initialises and reports a device
  bool simulated = false;    ///< the devices are hints
  std::string error{};       ///< the failing step; empty if initialised
  std::vector<HipDevice> devices{};
};

/// Asks the HIP runtime for its devices. Without it, reads the hints SPIRALTORCH_FORCE_HIP,
/// ROCM_PATH, HIP_PATH, ROCM_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES. Evaluated at each call.
[[nodiscard]] SPIRALTORCH_API HipProbe hip_probe();

}  // namespace spiraltorch
