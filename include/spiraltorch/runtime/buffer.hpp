#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/device.hpp"

namespace spiraltorch {

/// A block of device memory. Shared by handle; freed with the last one. Work on it is ordered by
/// its device's stream, so an asynchronous device may still be filling it when a call returns;
/// only `upload`, `download` and `host_view` wait.
class SPIRALTORCH_API Buffer {
  struct Key {};

 public:
  Buffer(Key, DeviceId device, void* native, std::size_t bytes, std::shared_ptr<void> owner);
  /// Uninitialised memory. Throws `out_of_memory` (before touching the device where the size
  /// exceeds its memory) or `device`.
  [[nodiscard]] static std::shared_ptr<Buffer> allocate(DeviceId device, std::size_t bytes);

  /// Wraps host memory that `owner` keeps alive: zero-copy import.
  [[nodiscard]] static std::shared_ptr<Buffer> adopt_host(void* data, std::size_t bytes,
                                                          std::shared_ptr<void> owner);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] DeviceId device() const noexcept { return device_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// The back end's own handle: a host address on the CPU. For kernels and host exchange only.
  [[nodiscard]] void* native() const noexcept { return native_; }

 private:
  DeviceId device_;
  void* native_;
  std::size_t bytes_;
  std::shared_ptr<void> owner_;  // set for adopted memory
};

/// Host exchange: copies bytes in and out, waiting for the device's pending work.
SPIRALTORCH_API void upload(Buffer& to, std::size_t offset, const void* from, std::size_t bytes);
SPIRALTORCH_API void download(const Buffer& from, std::size_t offset, void* to, std::size_t bytes);
/// Copies between two buffers of one device.
SPIRALTORCH_API void copy_bytes(const Buffer& from, std::size_t from_offset, Buffer& to,
                                std::size_t to_offset, std::size_t bytes);
/// Address of a CPU buffer's bytes after pending work; null on another device.
[[nodiscard]] SPIRALTORCH_API void* host_view(const Buffer& buffer);

}  // namespace spiraltorch
