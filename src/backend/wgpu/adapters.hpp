#pragma once

#include <string>
#include <vector>

#include "backend/wgpu/native.hpp"

namespace spiraltorch::wgpu {

struct Adapter {
  WGPUAdapter handle = nullptr;
  std::string name;
  std::string description;  ///< the driver's own words
  WGPUBackendType backend = WGPUBackendType_Undefined;
  WGPUAdapterType type = WGPUAdapterType_Unknown;
  WGPULimits limits{};
  bool subgroups = false;
  [[nodiscard]] bool is_software() const { return type == WGPUAdapterType_CPU; }
};

/// The adapters in the order of "wgpu:N": hardware before software. Without hardware the list is
/// empty, unless SPIRALTORCH_WGPU_SOFTWARE=1; then `reason` says so. Enumerated once a process.
[[nodiscard]] const std::vector<Adapter>& adapters(std::string& reason);

[[nodiscard]] std::string_view backend_text(WGPUBackendType type);
[[nodiscard]] std::string_view adapter_text(WGPUAdapterType type);

}  // namespace spiraltorch::wgpu
