#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/device_caps.hpp"
#include "spiraltorch/runtime/op_id.hpp"

namespace spiraltorch {

struct KernelArgs;

/// A kernel enqueues its work on the device's stream and returns; on the CPU it has run by then.
using Kernel = void (*)(const KernelArgs&);
using KernelTable = std::array<Kernel, kOpCount>;

/// The device side of a back end: memory, copies and waiting. Copies between host and device wait
/// for the work before them; `synchronize` throws what an asynchronous kernel has met.
struct Driver {
  int (*device_count)();
  std::string (*unavailable_reason)();              ///< why the count is 0
  DeviceCaps (*describe)(int index);                ///< of a device that is there
  void* (*allocate)(int index, std::size_t bytes);  ///< throws out_of_memory
  void (*release)(int index, void* native, std::size_t bytes) noexcept;
  void (*upload)(int index, void* native, std::size_t offset, const void* from, std::size_t bytes);
  void (*download)(int index, const void* native, std::size_t offset, void* to, std::size_t bytes);
  void (*copy)(int index, const void* from, std::size_t from_offset, void* to,
               std::size_t to_offset, std::size_t bytes);
  void (*synchronize)(int index);
  bool (*is_metal)(int index) = nullptr;  ///< whether the device is reached through Metal ("mps")
};

/// A back end is a name, a driver and a table. A null kernel means "not supported here".
struct BackendInfo {
  DeviceType type;
  std::string_view name;
  const KernelTable* kernels;
  const Driver* driver;
};

/// Back ends in this build.
[[nodiscard]] SPIRALTORCH_API std::span<const BackendInfo> backends();
/// The back end serving `type`, or null where this build has none.
[[nodiscard]] SPIRALTORCH_API const BackendInfo* find_backend(DeviceType type);
[[nodiscard]] SPIRALTORCH_API bool supports(const BackendInfo& backend, OpId op);
/// Waits for everything enqueued on `device`; throws what went wrong there.
SPIRALTORCH_API void synchronize(DeviceId device);

/// Whether a device can compute here; `reason` says why not.
struct DeviceStatus {
  bool available = false;
  std::string reason;
};
[[nodiscard]] SPIRALTORCH_API DeviceStatus device_status(DeviceId device);

/// Strict mode: an absent device is an error instead of the CPU with a warning. Starts as
/// SPIRALTORCH_STRICT=1 says.
SPIRALTORCH_API void set_strict(bool strict);
[[nodiscard]] SPIRALTORCH_API bool is_strict();

/// The device that a string means, there or not; never warns. "auto" is what SPIRALTORCH_DEVICE
/// says, where that is set, else the first usable of cuda, hip, wgpu and cpu. Throws
/// `invalid_value`.
[[nodiscard]] SPIRALTORCH_API DeviceId requested_device(std::string_view op, std::string_view name);

/// Whether "mps" is meant and WebGPU has adapters, but none on Metal: `requested_device` names one
/// of them all the same.
[[nodiscard]] SPIRALTORCH_API bool lacks_metal(std::string_view op, std::string_view name);
/// Why such a request cannot be met.
inline constexpr std::string_view kNoMetal = "no Metal adapter";

/// The device that computes for a request (spec 3, 6.2). An absent device becomes the CPU with one
/// warning per process and string; with `strict` (or `is_strict()`) it throws `device`.
[[nodiscard]] SPIRALTORCH_API DeviceId resolve_device(std::string_view op, std::string_view name,
                                                      bool strict = false);

}  // namespace spiraltorch
