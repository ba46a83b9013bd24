#include <algorithm>
#include <cstring>

#include "fake.hpp"

using namespace fake;

namespace fake {

Storage::Storage(WGPUDevice owner, std::uint64_t size) : device(owner), bytes(size) {
  ++device->adapter->buffers;
}

Storage::~Storage() { --device->adapter->buffers; }

namespace {

Fault invalid(const std::string& message) { return {Kind::validation, message}; }

// What the standard demands of a new buffer.
Fault judge(WGPUDevice device, const WGPUBufferDescriptor& descriptor) {
  const std::uint64_t most = device->adapter->limits.maxBufferSize;
  if (descriptor.size <= most) return {};
  return invalid("buffer of " + std::to_string(descriptor.size) + " bytes, at most " +
                 std::to_string(most));
}

Fault judge_range(const Storage& s, std::uint64_t offset, std::uint64_t size) {
  if (s.invalid) return invalid("the buffer is invalid");
  if (s.destroyed) return invalid("the buffer is destroyed");
  if (s.pending || s.mapped) return invalid("the buffer is mapped");
  if (offset % 4 != 0 || size % 4 != 0) return invalid("a range that is no multiple of 4");
  if (offset + size > s.bytes.size()) return invalid("a range beyond the buffer");
  return {};
}

}  // namespace
}  // namespace fake

WGPUBuffer wgpuDeviceCreateBuffer(WGPUDevice device, WGPUBufferDescriptor const* descriptor) {
  Fault fault = use(device, "DeviceCreateBuffer");
  if (fault.kind == Kind::null) return nullptr;
  if (!fault) {
    fault = judge(device, *descriptor);
    if (fault) report(device, fault);
  }
  auto storage = std::make_shared<Storage>(device, fault ? 0 : descriptor->size);
  storage->invalid = static_cast<bool>(fault);
  return new WGPUBufferImpl{std::move(storage)};
}

void wgpuBufferRelease(WGPUBuffer buffer) {
  use("BufferRelease");
  delete buffer;
}

void wgpuBufferDestroy(WGPUBuffer buffer) {
  use("BufferDestroy");
  Storage& storage = *buffer->storage;
  if (storage.destroyed) violation("a buffer destroyed twice");
  if (!storage.device->lost && storage.last_use > storage.device->completed) {
    violation("a buffer destroyed while work uses it");
  }
  storage.destroyed = true;
}

void wgpuQueueWriteBuffer(WGPUQueue queue, WGPUBuffer buffer, std::uint64_t offset,
                          void const* data, std::size_t size) {
  if (use(queue->device, "QueueWriteBuffer")) return;
  Storage& storage = *buffer->storage;
  if (const Fault fault = judge_range(storage, offset, size)) {
    report(queue->device, fault);
    return;
  }
  if (size > 0) std::memcpy(storage.bytes.data() + offset, data, size);
}

WGPUFuture wgpuBufferMapAsync(WGPUBuffer buffer, WGPUMapMode, std::size_t offset, std::size_t size,
                              WGPUBufferMapCallbackInfo info) {
  const StoragePtr storage = buffer->storage;
  Fault fault = use("BufferMapAsync");
  if (fault.kind == Kind::null) {  // never answered
    storage->pending = true;
    return {};
  }
  if (fault.kind == Kind::lost) lose(storage->device, fault.message);
  if (!fault) fault = judge_range(*storage, offset, size);
  storage->pending = !fault;
  storage->device->maps.push_back({storage, info, fault});
  return {};
}

void const* wgpuBufferGetConstMappedRange(WGPUBuffer buffer, std::size_t offset, std::size_t size) {
  Storage& storage = *buffer->storage;
  if (use("BufferGetConstMappedRange") || !storage.mapped) return nullptr;
  if (offset + size > storage.bytes.size()) return nullptr;
  return storage.bytes.data() + offset;
}

void wgpuBufferUnmap(WGPUBuffer buffer) {
  use("BufferUnmap");
  buffer->storage->mapped = false;
}

// Without waiting nothing is found to be done: tests that need work to have ended must wait.
FAKE_EXPORT WGPUBool wgpuDevicePoll(WGPUDevice device, WGPUBool wait, const std::uint64_t* index) {
  use(device, "DevicePoll");
  if (index != nullptr && (*index == 0 || *index > device->submitted)) {
    violation("a wait for a submission that never was");  // wgpu-native aborts
  }
  if (wait == 0 && !device->lost) return 0;
  device->completed = index == nullptr ? device->submitted : std::max(*index, device->completed);
  while (!device->maps.empty()) {
    PendingMap map = std::move(device->maps.front());
    device->maps.pop_front();
    if (device->lost) map.fault = {Kind::lost, "the device is lost"};
    map.storage->pending = false;
    map.storage->mapped = !map.fault;
    const auto status = map.fault ? WGPUMapAsyncStatus_Error : WGPUMapAsyncStatus_Success;
    map.info.callback(status, view(map.fault.message), map.info.userdata1, map.info.userdata2);
  }
  return 1;
}
