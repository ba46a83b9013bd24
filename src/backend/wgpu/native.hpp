#pragma once

// wgpu-native is opened at run time: types come from the vendored header, nothing is linked.
#define WGPU_SKIP_DECLARATIONS
#include <webgpu/webgpu.h>
#undef WGPU_SKIP_DECLARATIONS

#include <cstdint>
#include <string>
#include <string_view>

namespace spiraltorch::wgpu {

// What wgpu-native adds to webgpu.h and is used here (version 29 of its interface).
inline constexpr auto kFeatureSubgroup = static_cast<WGPUFeatureName>(0x00030021);
inline constexpr WGPUFlags kBackendVulkan = 1U << 0U;
inline constexpr WGPUFlags kBackendMetal = 1U << 2U;
inline constexpr WGPUFlags kBackendDx12 = 1U << 3U;
/// Which kinds of driver an instance opens; the rest of the structure is zero, which means
/// defaults. Left to itself it opens OpenGL as well.
struct InstanceExtras {
  WGPUChainedStruct chain{nullptr, static_cast<WGPUSType>(0x00030004)};
  WGPUFlags backends = kBackendVulkan | kBackendMetal | kBackendDx12;
  WGPUFlags flags = 0;
  std::uint64_t defaults[24] = {};
};
using SubmissionIndex = std::uint64_t;
struct EnumerateOptions {
  WGPUChainedStruct const* next = nullptr;
  WGPUFlags backends = 0;
};

/// The functions of the library, all present or the library is refused. Several other exports of
/// wgpu-native abort the process (labels after creation, WaitAny, asynchronous pipelines): none of
/// them stands here.
struct Api {
  WGPUProcCreateInstance CreateInstance = nullptr;
  WGPUProcInstanceProcessEvents InstanceProcessEvents = nullptr;
  WGPUProcAdapterGetInfo AdapterGetInfo = nullptr;
  WGPUProcAdapterInfoFreeMembers AdapterInfoFreeMembers = nullptr;
  WGPUProcAdapterGetLimits AdapterGetLimits = nullptr;
  WGPUProcAdapterHasFeature AdapterHasFeature = nullptr;
  WGPUProcAdapterRequestDevice AdapterRequestDevice = nullptr;
  WGPUProcDeviceGetQueue DeviceGetQueue = nullptr;
  WGPUProcDeviceCreateBuffer DeviceCreateBuffer = nullptr;
  WGPUProcDeviceCreateBindGroupLayout DeviceCreateBindGroupLayout = nullptr;
  WGPUProcDeviceCreatePipelineLayout DeviceCreatePipelineLayout = nullptr;
  WGPUProcDeviceCreateComputePipeline DeviceCreateComputePipeline = nullptr;
  WGPUProcDeviceCreateBindGroup DeviceCreateBindGroup = nullptr;
  WGPUProcDeviceCreateCommandEncoder DeviceCreateCommandEncoder = nullptr;
  WGPUProcDeviceCreateShaderModule DeviceCreateShaderModule = nullptr;
  WGPUProcDevicePushErrorScope DevicePushErrorScope = nullptr;
  WGPUProcDevicePopErrorScope DevicePopErrorScope = nullptr;
  WGPUProcCommandEncoderBeginComputePass CommandEncoderBeginComputePass = nullptr;
  WGPUProcCommandEncoderCopyBufferToBuffer CommandEncoderCopyBufferToBuffer = nullptr;
  WGPUProcCommandEncoderFinish CommandEncoderFinish = nullptr;
  WGPUProcComputePassEncoderSetPipeline ComputePassEncoderSetPipeline = nullptr;
  WGPUProcComputePassEncoderSetBindGroup ComputePassEncoderSetBindGroup = nullptr;
  WGPUProcComputePassEncoderDispatchWorkgroups ComputePassEncoderDispatchWorkgroups = nullptr;
  WGPUProcComputePassEncoderEnd ComputePassEncoderEnd = nullptr;
  WGPUProcComputePassEncoderRelease ComputePassEncoderRelease = nullptr;
  WGPUProcCommandEncoderRelease CommandEncoderRelease = nullptr;
  WGPUProcCommandBufferRelease CommandBufferRelease = nullptr;
  WGPUProcBufferRelease BufferRelease = nullptr;
  WGPUProcBufferDestroy BufferDestroy = nullptr;
  WGPUProcBindGroupRelease BindGroupRelease = nullptr;
  WGPUProcComputePipelineRelease ComputePipelineRelease = nullptr;
  WGPUProcShaderModuleRelease ShaderModuleRelease = nullptr;
  WGPUProcQueueWriteBuffer QueueWriteBuffer = nullptr;
  WGPUProcBufferMapAsync BufferMapAsync = nullptr;
  WGPUProcBufferGetConstMappedRange BufferGetConstMappedRange = nullptr;
  WGPUProcBufferUnmap BufferUnmap = nullptr;
  // wgpu-native's own
  std::uint32_t (*GetVersion)() = nullptr;
  std::size_t (*InstanceEnumerateAdapters)(WGPUInstance, EnumerateOptions const*,
                                           WGPUAdapter*) = nullptr;
  WGPUBool (*DevicePoll)(WGPUDevice, WGPUBool wait, SubmissionIndex const*) = nullptr;
  SubmissionIndex (*QueueSubmitForIndex)(WGPUQueue, std::size_t,
                                         WGPUCommandBuffer const*) = nullptr;
  WGPUShaderModule (*DeviceCreateShaderModuleTrusted)(WGPUDevice, WGPUShaderModuleDescriptor const*,
                                                      WGPUFlags checks) = nullptr;
};

/// Major version of wgpu-native whose header is vendored: enumerators move between versions.
inline constexpr std::uint32_t kNativeMajor = 29;

/// The library's functions, or null with the reason why it cannot be used. A library that opened
/// stays; a failure is tried anew at the next call.
[[nodiscard]] const Api* open_api(std::string& reason);
/// The functions of the library that `open_api` has opened.
[[nodiscard]] const Api& api();
/// "29.0.1.1"
[[nodiscard]] std::string native_version();

[[nodiscard]] inline WGPUStringView view(std::string_view s) { return {s.data(), s.size()}; }
[[nodiscard]] inline std::string to_string(WGPUStringView s) {
  if (s.data == nullptr) return {};
  return s.length == WGPU_STRLEN ? std::string(s.data) : std::string(s.data, s.length);
}

}  // namespace spiraltorch::wgpu
