#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "spiraltorch/runtime/buffer.hpp"

namespace spiraltorch {

/// A copy of host values on a device.
template <class T>
[[nodiscard]] std::shared_ptr<Buffer> to_buffer(DeviceId device, const std::vector<T>& values) {
  const std::size_t bytes = std::max<std::size_t>(1, values.size()) * sizeof(T);
  auto buffer = Buffer::allocate(device, bytes);
  if (!values.empty()) upload(*buffer, 0, values.data(), values.size() * sizeof(T));
  return buffer;
}

}  // namespace spiraltorch
