#include "backend/wgpu/adapters.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {
namespace {

Adapter read_adapter(const Api& w, WGPUAdapter handle) {
  Adapter out;
  out.handle = handle;
  WGPUAdapterInfo info = WGPU_ADAPTER_INFO_INIT;
  w.AdapterGetInfo(handle, &info);
  out.name = to_string(info.device);
  out.description = to_string(info.description);
  out.backend = info.backendType;
  out.type = info.adapterType;
  w.AdapterInfoFreeMembers(info);
  out.limits = WGPU_LIMITS_INIT;
  w.AdapterGetLimits(handle, &out.limits);
  out.subgroups = w.AdapterHasFeature(handle, kFeatureSubgroup) != 0;
  return out;
}

std::vector<Adapter> enumerate(const Api& w) {
  InstanceExtras extras;
  WGPUInstanceDescriptor descriptor = WGPU_INSTANCE_DESCRIPTOR_INIT;
  descriptor.nextInChain = &extras.chain;
  WGPUInstance instance = w.CreateInstance(&descriptor);
  if (instance == nullptr) return {};
  const EnumerateOptions options{nullptr, kBackendVulkan | kBackendMetal | kBackendDx12};
  std::vector<WGPUAdapter> handles(w.InstanceEnumerateAdapters(instance, &options, nullptr));
  handles.resize(w.InstanceEnumerateAdapters(instance, &options, handles.data()));
  std::vector<Adapter> out;
  for (WGPUAdapter handle : handles) out.push_back(read_adapter(w, handle));
  std::stable_sort(out.begin(), out.end(), [](const Adapter& a, const Adapter& b) {
    return a.is_software() < b.is_software();
  });
  return out;
}

bool software_counts() {
  const char* value = std::getenv("SPIRALTORCH_WGPU_SOFTWARE");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

const std::vector<Adapter>& adapters(std::string& reason) {
  static const std::vector<Adapter> none;
  const Api* w = open_api(reason);
  if (w == nullptr) return none;
  static const std::vector<Adapter> all = enumerate(*w);
  if (all.empty()) {
    reason = "wgpu-native finds no adapter (no Vulkan, Metal or D3D12 driver)";
    return none;
  }
  if (all.front().is_software() && !software_counts()) {
    reason = text("only a software adapter (", all.front().name,
                  "); SPIRALTORCH_WGPU_SOFTWARE=1 lets it count");
    return none;
  }
  return all;
}

std::string_view backend_text(WGPUBackendType type) {
  switch (type) {
    case WGPUBackendType_Vulkan:
      return "Vulkan";
    case WGPUBackendType_Metal:
      return "Metal";
    case WGPUBackendType_D3D12:
      return "D3D12";
    default:
      return "unknown";
  }
}

std::string_view adapter_text(WGPUAdapterType type) {
  switch (type) {
    case WGPUAdapterType_DiscreteGPU:
      return "discrete";
    case WGPUAdapterType_IntegratedGPU:
      return "integrated";
    case WGPUAdapterType_CPU:
      return "software";
    default:
      return "unknown";
  }
}

}  // namespace spiraltorch::wgpu
