#pragma once

#include <cstdint>
#include <string>

#include "spiraltorch/base/device_caps.hpp"

/// Capabilities to plan with in tests: any host, any accelerator.
namespace rank_caps {

inline spiraltorch::DeviceCaps cpu(std::int64_t threads = 4, std::int64_t lanes = 8) {
  spiraltorch::DeviceCaps caps;
  caps.available = caps.queried = true;
  caps.lane_width = lanes;
  caps.max_workgroup = caps.compute_units = threads;
  caps.name = "a host";
  return caps;
}

inline spiraltorch::DeviceCaps gpu(spiraltorch::DeviceType type) {
  return spiraltorch::template_caps({type, 0});
}

}  // namespace rank_caps
