#pragma once

#include <vector>

#include "spiraltorch/base/device_caps.hpp"

namespace spiraltorch {

/// The run-time libraries of a kind of device, required ones first, opened to learn their versions.
[[nodiscard]] std::vector<LibraryStatus> vendor_libraries(DeviceType type);

}  // namespace spiraltorch
