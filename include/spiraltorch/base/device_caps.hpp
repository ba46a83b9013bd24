#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device.hpp"

namespace spiraltorch {

/// One run-time library of a back end: its version where it can be opened, else why it cannot.
struct LibraryStatus {
  std::string name;  ///< e.g. "libamdhip64"
  bool usable = false;
  std::string text;  ///< version (may be empty if the library does not tell it), or the reason
};

/// What a device can do: what it says of itself, or the template of its kind where it is absent.
/// The input of the rank planner; Python shows it as `describe_device()`.
struct DeviceCaps {
  DeviceId device{};
  bool available = false;
  bool queried = false;               ///< false: the template's numbers
  std::int64_t lane_width = 1;        ///< warp or smallest subgroup; CPU: float32 lanes of a vector
  std::int64_t max_workgroup = 1;     ///< threads of a workgroup; CPU: worker threads
  bool subgroup = false;              ///< whether subgroup operations exist
  std::int64_t shared_bytes = 0;      ///< of a workgroup (opt-in maximum); 0 on the CPU
  std::int64_t binding_bytes = 0;     ///< WebGPU: of a buffer that a kernel can see; 0: all
  std::int64_t compute_units = 0;     ///< multiprocessors; CPU: cores this process may use
  std::int64_t memory_bytes = 0;      ///< 0 where unknown
  std::int64_t cache_bytes = 0;       ///< last-level cache, 0 where unknown
  std::int64_t core_cache_bytes = 0;  ///< CPU: second-level cache of a core, 0 where unknown
  std::string name;                   ///< empty where unknown
  std::string driver;                 ///< driver and runtime versions; empty on the CPU
  std::string arch;                   ///< "sm_90", "gfx90a", adapter type or instruction set
  std::vector<LibraryStatus> libraries{};
  std::string error;  ///< why it is unavailable
};

/// Numbers to plan with for a kind of device that is absent (available = queried = false). The CPU
/// has no template: `invalid_value`.
[[nodiscard]] SPIRALTORCH_API DeviceCaps template_caps(DeviceId device);

/// 16 hexadecimal digits over backend, name, architecture, driver and limits (FNV-1a, 64 bits).
[[nodiscard]] SPIRALTORCH_API std::string fingerprint(const DeviceCaps& caps);

}  // namespace spiraltorch
