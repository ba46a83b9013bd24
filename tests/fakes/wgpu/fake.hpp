#pragma once

// A stand-in for wgpu-native, opened by tests: buffers lie in the heap, copies move bytes, work is
// recorded and, for the shaders "copy", "fill" and "subgroup_size", executed. What it pretends is
// said by environment variables, read at the first use, or by the functions of control.hpp:
//   FAKE_WGPU_ADAPTERS  "2", or "vulkan:discrete:Fake A;metal:integrated:Fake B;vulkan:software:C"
//   FAKE_WGPU_LIMITS    "buffer=16777216;binding=8388608;groups=65535"
//   FAKE_WGPU_SUBGROUP  threads of a subgroup (32); 0 = the feature is absent
//   FAKE_WGPU_FAIL      "DeviceCreateBuffer:3:memory:no room;..." (see `Fault`)
#define WGPU_SHARED_LIBRARY
#define WGPU_IMPLEMENTATION
#include <webgpu/webgpu.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#define FAKE_EXPORT extern "C" __attribute__((visibility("default")))

namespace fake {

/// How a call fails. Errors go to the innermost scope that takes them, else to the callback for
/// uncaptured ones.
enum class Kind {
  none,
  validation,
  memory,
  uncaptured,  ///< past every scope
  lost,        ///< the device's callback for losses
  null         ///< a null handle, no report
};
struct Fault {
  Kind kind = Kind::none;
  std::string message;
  explicit operator bool() const { return kind != Kind::none; }
};

/// Counts a use of `call` (a name without "wgpu"); how it fails this time.
Fault use(const std::string& call);
/// The same for a call of a device, which also fails once that is lost. Reports the fault.
Fault use(WGPUDevice device, const std::string& call);
void report(WGPUDevice device, const Fault& fault);
void lose(WGPUDevice device, const std::string& message);
/// A fault in the library's use: tests demand that there is none.
void violation(const std::string& message);

inline WGPUStringView view(std::string_view s) { return {s.data(), s.size()}; }
inline std::string text(WGPUStringView s) {
  if (s.data == nullptr) return {};
  return s.length == WGPU_STRLEN ? std::string(s.data) : std::string(s.data, s.length);
}

/// What a buffer's handle and the bind groups with it share.
struct Storage {
  WGPUDevice device;
  std::vector<std::byte> bytes;
  std::uint64_t last_use = 0;  ///< the last submission with it
  bool destroyed = false;
  bool invalid = false;
  bool pending = false;  ///< a map is asked for
  bool mapped = false;
  Storage(WGPUDevice owner, std::uint64_t size);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
};
using StoragePtr = std::shared_ptr<Storage>;

struct Range {
  StoragePtr storage;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Command {
  std::string label;          ///< of the pipeline; empty: a copy
  std::vector<Range> ranges;  ///< by binding, or source and target
  std::uint32_t dynamic_offset = 0;
  std::uint64_t workgroups = 0;
};

/// Does the work of one command; false where the shader is not known.
bool execute(const Command& command);

struct Scope {
  WGPUErrorFilter filter;
  Fault fault;
};

struct PendingMap {
  StoragePtr storage;
  WGPUBufferMapCallbackInfo info;
  Fault fault;
};

}  // namespace fake

struct WGPUInstanceImpl {};

struct WGPUAdapterImpl {
  std::string name;
  WGPUBackendType backend = WGPUBackendType_Vulkan;
  WGPUAdapterType type = WGPUAdapterType_DiscreteGPU;
  WGPULimits limits{};
  std::uint32_t subgroup = 0;
  WGPUDevice device = nullptr;             ///< the last one opened
  std::vector<std::string> submissions{};  ///< labels of each one's dispatches
  int buffers = 0;                         ///< alive
};

struct WGPUQueueImpl {
  WGPUDevice device = nullptr;
};

struct WGPUDeviceImpl {
  WGPUAdapter adapter = nullptr;
  WGPUDeviceLostCallbackInfo on_loss{};
  WGPUUncapturedErrorCallbackInfo on_error{};
  WGPUQueueImpl queue{};
  bool lost = false;
  std::vector<fake::Scope> scopes{};
  std::deque<fake::PendingMap> maps{};
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;
};

struct WGPUBufferImpl {
  fake::StoragePtr storage;
};
struct WGPUBindGroupLayoutImpl {
  std::size_t entries = 0;
};
struct WGPUPipelineLayoutImpl {};
struct WGPUShaderModuleImpl {
  std::string label;
};
struct WGPUComputePipelineImpl {
  std::string label;
};
struct WGPUBindGroupImpl {
  std::vector<fake::Range> ranges;
};
struct WGPUCommandBufferImpl {
  std::vector<fake::Command> commands;
};
struct WGPUCommandEncoderImpl {
  WGPUDevice device = nullptr;
  std::vector<fake::Command> commands{};
  bool in_pass = false;
};
struct WGPUComputePassEncoderImpl {
  WGPUCommandEncoder encoder = nullptr;
  WGPUComputePipeline pipeline = nullptr;
  std::vector<fake::Range> ranges{};
  std::uint32_t dynamic_offset = 0;
};
