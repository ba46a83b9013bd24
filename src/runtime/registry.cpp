#include <atomic>
#include <cstdlib>
#include <string>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

namespace spiraltorch {
#include "builtin_backends.inc"

namespace {

std::atomic<bool>& strict_slot() {
  static std::atomic<bool> strict{[] {
    const char* value = std::getenv("SPIRALTORCH_STRICT");
    return value != nullptr && std::string_view(value) == "1";
  }()};
  return strict;
}

DeviceId common_device(OpId op, const KernelArgs& args) {
  const KernelOperand* first = nullptr;
  for (const auto operands : {args.in, args.out}) {
    for (const KernelOperand& x : operands) {
      if (first == nullptr) first = &x;
      if (x.buffer->device() == first->buffer->device()) continue;
      fail(Errc::device, op_info(op).name,
           text("operands: got devices ", to_text(first->buffer->device()), " and ",
                to_text(x.buffer->device()), ", expected one device"));
    }
  }
  return first == nullptr ? DeviceId{} : first->buffer->device();
}

// Hardware devices in the order of preference of "auto".
DeviceId pick_auto() {
  for (const DeviceType type : {DeviceType::cuda, DeviceType::hip, DeviceType::wgpu}) {
    if (device_status({type, 0}).available) return {type, 0};
  }
  return {};
}

// "mps" is the first WebGPU adapter on Metal; without one, the request's ordinal stays.
DeviceRequest place_metal(DeviceRequest request) {
  if (!request.is_metal) return request;
  const BackendInfo* backend = find_backend(request.device.type);
  if (backend == nullptr) return request;
  for (int i = 0, count = backend->driver->device_count(); i < count; ++i) {
    if (backend->driver->is_metal(i)) return {.device = {request.device.type, i}};
  }
  return request;
}

// Those that have found their adapter no longer ask for Metal.
bool is_elsewhere(const DeviceRequest& request) {
  return request.is_metal && device_status(request.device).available;
}

// What a user asks for; "auto" is SPIRALTORCH_DEVICE's wish where there is one.
struct Wish {
  std::string name;
  DeviceRequest request;
};

Wish read_wish(std::string_view op, std::string_view name) {
  const DeviceRequest request = place_metal(parse_device(op, name));
  const char* wish = std::getenv("SPIRALTORCH_DEVICE");
  if (!request.is_auto || wish == nullptr || *wish == '\0') return {std::string(name), request};
  return {wish, place_metal(parse_device(op, wish))};
}

}  // namespace

std::span<const BackendInfo> backends() { return builtin_backends(); }

const BackendInfo* find_backend(DeviceType type) {
  for (const BackendInfo& backend : backends()) {
    if (backend.type == type) return &backend;
  }
  return nullptr;
}

bool supports(const BackendInfo& backend, OpId op) {
  return (*backend.kernels)[static_cast<std::size_t>(op)] != nullptr;
}

void synchronize(DeviceId device) {
  const BackendInfo* backend = find_backend(device.type);
  require(backend != nullptr, Errc::device, "synchronize", "no such back end in this build");
  backend->driver->synchronize(device.index);
}

void launch(OpId op, const KernelArgs& args) {
  const DeviceId device = common_device(op, args);
  const BackendInfo* backend = find_backend(device.type);
  if (backend == nullptr || !supports(*backend, op)) {
    fail(Errc::unsupported, op_info(op).name,
         text("device: got ", to_text(device), ", expected one with a kernel for this operation"));
  }
  (*backend->kernels)[static_cast<std::size_t>(op)](args);
}

DeviceStatus device_status(DeviceId device) {
  const BackendInfo* backend = find_backend(device.type);
  if (backend == nullptr) {
    return {false, text("no ", backend_name(device.type), " back end in this build")};
  }
  const int count = backend->driver->device_count();
  if (count == 0) return {false, backend->driver->unavailable_reason()};
  if (device.index >= count) {
    return {false, text("no device ", device.index, ", ", count, " present")};
  }
  return {true, {}};
}

void set_strict(bool strict) { strict_slot().store(strict); }
bool is_strict() { return strict_slot().load(); }

DeviceId requested_device(std::string_view op, std::string_view name) {
  const DeviceRequest request = read_wish(op, name).request;
  return request.is_auto ? pick_auto() : request.device;
}

bool lacks_metal(std::string_view op, std::string_view name) {
  return is_elsewhere(read_wish(op, name).request);
}

DeviceId resolve_device(std::string_view op, std::string_view name, bool strict) {
  const auto [wish, request] = read_wish(op, name);
  if (request.is_auto) return pick_auto();
  const DeviceStatus status = is_elsewhere(request) ? DeviceStatus{false, std::string(kNoMetal)}
                                                    : device_status(request.device);
  if (status.available) return request.device;
  if (strict || is_strict()) {
    fail(Errc::device, op,
         text("device: got '", wish, "' (", status.reason, "), expected a usable device"));
  }
  warn_once(text("device '", wish, "' is not available (", status.reason,
                 "): computing on the CPU instead"));
  return {};
}

}  // namespace spiraltorch
