#include <atomic>
#include <mutex>

#include "backend/wgpu/native.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/library.hpp"

namespace spiraltorch::wgpu {
namespace {

std::atomic<const Api*> opened{nullptr};

std::string version_text(std::uint32_t v) {
  return text(v >> 24U, '.', v >> 16U & 255U, '.', v >> 8U & 255U, '.', v & 255U);
}

// Fills the table; empty, or the name of the first symbol that is missing.
std::string fill(Api& api, const Library& library) {
  std::string missing;
  const auto get = [&](auto& slot, const char* symbol) {
    slot = library.function<std::remove_reference_t<decltype(slot)>>(symbol);
    if (slot == nullptr && missing.empty()) missing = symbol;
  };
#define SPIRALTORCH_WGPU(name) get(api.name, "wgpu" #name)
  SPIRALTORCH_WGPU(CreateInstance);
  SPIRALTORCH_WGPU(InstanceProcessEvents);
  SPIRALTORCH_WGPU(AdapterGetInfo);
  SPIRALTORCH_WGPU(AdapterInfoFreeMembers);
  SPIRALTORCH_WGPU(AdapterGetLimits);
  SPIRALTORCH_WGPU(AdapterHasFeature);
  SPIRALTORCH_WGPU(AdapterRequestDevice);
  SPIRALTORCH_WGPU(DeviceGetQueue);
  SPIRALTORCH_WGPU(DeviceCreateBuffer);
  SPIRALTORCH_WGPU(DeviceCreateBindGroupLayout);
  SPIRALTORCH_WGPU(DeviceCreatePipelineLayout);
  SPIRALTORCH_WGPU(DeviceCreateComputePipeline);
  SPIRALTORCH_WGPU(DeviceCreateBindGroup);
  SPIRALTORCH_WGPU(DeviceCreateCommandEncoder);
  SPIRALTORCH_WGPU(DeviceCreateShaderModule);
  SPIRALTORCH_WGPU(DevicePushErrorScope);
  SPIRALTORCH_WGPU(DevicePopErrorScope);
  SPIRALTORCH_WGPU(CommandEncoderBeginComputePass);
  SPIRALTORCH_WGPU(CommandEncoderCopyBufferToBuffer);
  SPIRALTORCH_WGPU(CommandEncoderFinish);
  SPIRALTORCH_WGPU(ComputePassEncoderSetPipeline);
  SPIRALTORCH_WGPU(ComputePassEncoderSetBindGroup);
  SPIRALTORCH_WGPU(ComputePassEncoderDispatchWorkgroups);
  SPIRALTORCH_WGPU(ComputePassEncoderEnd);
  SPIRALTORCH_WGPU(ComputePassEncoderRelease);
  SPIRALTORCH_WGPU(CommandEncoderRelease);
  SPIRALTORCH_WGPU(CommandBufferRelease);
  SPIRALTORCH_WGPU(BufferRelease);
  SPIRALTORCH_WGPU(BufferDestroy);
  SPIRALTORCH_WGPU(BindGroupRelease);
  SPIRALTORCH_WGPU(ComputePipelineRelease);
  SPIRALTORCH_WGPU(ShaderModuleRelease);
  SPIRALTORCH_WGPU(QueueWriteBuffer);
  SPIRALTORCH_WGPU(BufferMapAsync);
  SPIRALTORCH_WGPU(BufferGetConstMappedRange);
  SPIRALTORCH_WGPU(BufferUnmap);
  SPIRALTORCH_WGPU(GetVersion);
  SPIRALTORCH_WGPU(InstanceEnumerateAdapters);
  SPIRALTORCH_WGPU(DevicePoll);
  SPIRALTORCH_WGPU(QueueSubmitForIndex);
  SPIRALTORCH_WGPU(DeviceCreateShaderModuleTrusted);
#undef SPIRALTORCH_WGPU
  return missing;
}

// The version is asked first: of another major version not even the structures are known.
std::string refusal(const Library& library, Api& api) {
  const auto version = library.function<std::uint32_t (*)()>("wgpuGetVersion");
  if (version == nullptr) return text(library.path, ": wgpuGetVersion is missing");
  if (version() >> 24U != kNativeMajor) {
    return text(library.path, ": got wgpu-native ", version_text(version()), ", expected version ",
                kNativeMajor);
  }
  const std::string missing = fill(api, library);
  return missing.empty() ? missing : text(library.path, ": ", missing, " is missing");
}

}  // namespace

const Api* open_api(std::string& reason) {
  if (const Api* ready = opened.load()) return ready;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (const Api* ready = opened.load()) return ready;
  const Library library = open_library("libwgpu_native");
  if (!library) {
    reason = library.error;
    return nullptr;
  }
  static Api table;
  Api candidate;
  reason = refusal(library, candidate);
  if (!reason.empty()) return nullptr;
  table = candidate;
  opened.store(&table);
  return &table;
}

const Api& api() { return *opened.load(); }

std::string native_version() { return version_text(api().GetVersion()); }

}  // namespace spiraltorch::wgpu
