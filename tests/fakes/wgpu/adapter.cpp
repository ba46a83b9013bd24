#include <cstdlib>
#include <cstring>
#include <new>

#include "fake.hpp"
#include "pretence.hpp"

// The functions that wgpu-native adds to webgpu.h have no header here.
using namespace fake;

namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

std::uint64_t limit(const std::string& name, std::uint64_t otherwise) {
  for (const std::string& item : split(variable("FAKE_WGPU_LIMITS"), ';')) {
    if (item.rfind(name + "=", 0) != 0) continue;
    return std::strtoull(item.c_str() + name.size() + 1, nullptr, 10);
  }
  return otherwise;
}

WGPULimits limits() {
  WGPULimits out = WGPU_LIMITS_INIT;
  out.maxBufferSize = limit("buffer", 256 * kMiB);
  out.maxStorageBufferBindingSize = limit("binding", 128 * kMiB);
  out.maxComputeWorkgroupsPerDimension = static_cast<std::uint32_t>(limit("groups", 65535));
  out.maxComputeInvocationsPerWorkgroup = static_cast<std::uint32_t>(limit("threads", 512));
  out.maxComputeWorkgroupStorageSize = static_cast<std::uint32_t>(limit("shared", 32768));
  return out;
}

WGPUBackendType backend(const std::string& name) {
  if (name == "metal") return WGPUBackendType_Metal;
  return name == "d3d12" ? WGPUBackendType_D3D12 : WGPUBackendType_Vulkan;
}

WGPUAdapterType type(const std::string& name) {
  if (name == "software") return WGPUAdapterType_CPU;
  return name == "integrated" ? WGPUAdapterType_IntegratedGPU : WGPUAdapterType_DiscreteGPU;
}

WGPUAdapterImpl adapter(const std::string& name, const std::string& of, const std::string& kind) {
  WGPUAdapterImpl out;
  out.name = name;
  out.backend = backend(of);
  out.type = type(kind);
  out.limits = limits();
  const std::string subgroup = variable("FAKE_WGPU_SUBGROUP");
  out.subgroup = subgroup.empty() ? 32 : static_cast<std::uint32_t>(std::atoi(subgroup.c_str()));
  return out;
}

std::vector<WGPUAdapterImpl> read_adapters() {
  const char* list = std::getenv("FAKE_WGPU_ADAPTERS");
  const std::string wanted = list == nullptr ? "1" : list;
  std::vector<WGPUAdapterImpl> out;
  if (wanted.find(':') == std::string::npos) {
    for (int i = 0; i < std::atoi(wanted.c_str()); ++i) {
      out.push_back(adapter("Fake GPU " + std::to_string(i), "vulkan", "discrete"));
    }
    return out;
  }
  for (const std::string& item : split(wanted, ';')) {
    std::vector<std::string> parts = split(item, ':');
    parts.resize(3);
    out.push_back(adapter(parts[2], parts[0], parts[1]));
  }
  return out;
}

}  // namespace

namespace fake {

std::vector<WGPUAdapterImpl>& adapters() {
  static auto& all = *new std::vector<WGPUAdapterImpl>(read_adapters());
  return all;
}

WGPUAdapterImpl& adapter_at(int index) { return adapters().at(static_cast<std::size_t>(index)); }

}  // namespace fake

WGPUInstance wgpuCreateInstance(WGPUInstanceDescriptor const*) {
  static WGPUInstanceImpl instance;
  return use("CreateInstance") ? nullptr : &instance;
}

FAKE_EXPORT std::size_t wgpuInstanceEnumerateAdapters(WGPUInstance, const void*, WGPUAdapter* out) {
  if (use("InstanceEnumerateAdapters")) return 0;
  for (std::size_t i = 0; out != nullptr && i < adapters().size(); ++i) out[i] = &adapters()[i];
  return adapters().size();
}

WGPUStatus wgpuAdapterGetInfo(WGPUAdapter adapter, WGPUAdapterInfo* info) {
  if (use("AdapterGetInfo")) return WGPUStatus_Error;
  info->device = view(adapter->name);
  info->description = view("fake driver 1.2");
  info->backendType = adapter->backend;
  info->adapterType = adapter->type;
  return WGPUStatus_Success;
}

void wgpuAdapterInfoFreeMembers(WGPUAdapterInfo) { use("AdapterInfoFreeMembers"); }

WGPUStatus wgpuAdapterGetLimits(WGPUAdapter adapter, WGPULimits* limits) {
  if (use("AdapterGetLimits")) return WGPUStatus_Error;
  *limits = adapter->limits;
  return WGPUStatus_Success;
}

WGPUBool wgpuAdapterHasFeature(WGPUAdapter adapter, WGPUFeatureName feature) {
  constexpr auto kSubgroup = static_cast<WGPUFeatureName>(0x00030021);
  return !use("AdapterHasFeature") && feature == kSubgroup && adapter->subgroup > 0;
}

WGPUFuture wgpuAdapterRequestDevice(WGPUAdapter adapter, WGPUDeviceDescriptor const* descriptor,
                                    WGPURequestDeviceCallbackInfo info) {
  const Fault fault = use("AdapterRequestDevice");
  if (fault) {
    info.callback(WGPURequestDeviceStatus_Error, nullptr, view(fault.message), info.userdata1,
                  info.userdata2);
    return {};
  }
  auto* device = new WGPUDeviceImpl;
  device->adapter = adapter;
  device->on_loss = descriptor->deviceLostCallbackInfo;
  device->on_error = descriptor->uncapturedErrorCallbackInfo;
  device->queue.device = device;
  adapter->device = device;
  info.callback(WGPURequestDeviceStatus_Success, device, view(""), info.userdata1, info.userdata2);
  return {};
}

WGPUQueue wgpuDeviceGetQueue(WGPUDevice device) {
  use(device, "DeviceGetQueue");
  return &device->queue;
}

void wgpuDevicePushErrorScope(WGPUDevice device, WGPUErrorFilter filter) {
  use("DevicePushErrorScope");
  device->scopes.push_back({filter, {}});
}

WGPUFuture wgpuDevicePopErrorScope(WGPUDevice device, WGPUPopErrorScopeCallbackInfo info) {
  use("DevicePopErrorScope");
  if (device->scopes.empty()) {
    violation("an error scope too many popped");
    return {};
  }
  const Fault fault = device->scopes.back().fault;
  device->scopes.pop_back();
  auto type = WGPUErrorType_NoError;
  if (fault) {
    type = fault.kind == Kind::memory ? WGPUErrorType_OutOfMemory : WGPUErrorType_Validation;
  }
  info.callback(WGPUPopErrorScopeStatus_Success, type, view(fault.message), info.userdata1,
                info.userdata2);
  return {};
}
