#include "spiraltorch/runtime/buffer.hpp"

#include <cstring>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/backend.hpp"

namespace spiraltorch {
namespace {

const Driver& driver_of(DeviceId device) {
  const BackendInfo* backend = find_backend(device.type);
  if (backend == nullptr) {
    fail(Errc::device, "buffer",
         text("device: got ", to_text(device), ", expected a back end of this build"));
  }
  return *backend->driver;
}

}  // namespace

Buffer::Buffer(Key, DeviceId device, void* native, std::size_t bytes, std::shared_ptr<void> owner)
    : device_(device), native_(native), bytes_(bytes), owner_(std::move(owner)) {}

Buffer::~Buffer() {
  if (owner_ == nullptr)
    find_backend(device_.type)->driver->release(device_.index, native_, bytes_);
}

std::shared_ptr<Buffer> Buffer::allocate(DeviceId device, std::size_t bytes) {
  void* native = driver_of(device).allocate(device.index, bytes);
  return std::make_shared<Buffer>(Key{}, device, native, bytes, nullptr);
}

std::shared_ptr<Buffer> Buffer::adopt_host(void* data, std::size_t bytes,
                                           std::shared_ptr<void> owner) {
  if (owner == nullptr) owner = std::shared_ptr<void>(data, [](void*) {});
  return std::make_shared<Buffer>(Key{}, DeviceId{}, data, bytes, std::move(owner));
}

void upload(Buffer& to, std::size_t offset, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  driver_of(to.device()).upload(to.device().index, to.native(), offset, from, bytes);
}

void download(const Buffer& from, std::size_t offset, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  driver_of(from.device()).download(from.device().index, from.native(), offset, to, bytes);
}

void copy_bytes(const Buffer& from, std::size_t from_offset, Buffer& to, std::size_t to_offset,
                std::size_t bytes) {
  if (from.device() != to.device()) {
    fail(Errc::device, "copy_bytes",
         text("devices: got ", to_text(from.device()), " and ", to_text(to.device()),
              ", expected one device"));
  }
  driver_of(from.device())
      .copy(from.device().index, from.native(), from_offset, to.native(), to_offset, bytes);
}

void* host_view(const Buffer& buffer) {
  return buffer.device().is_cpu() ? buffer.native() : nullptr;
}

}  // namespace spiraltorch
