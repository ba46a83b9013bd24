#include "backend/wgpu/device.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {
namespace {

const Shader kSubgroupSize{"subgroup_size", {wgsl::subgroup_size}};

std::string named(int index) { return to_text(DeviceId{DeviceType::wgpu, index}); }

struct OpenDevices {
  std::mutex mutex;
  std::unordered_map<int, std::unique_ptr<Device>> devices;
};

// Never closed: buffers may be released by destructors that run last.
OpenDevices& open_devices() {
  static auto& all = *new OpenDevices;
  return all;
}

const Adapter& adapter_at(int index, std::string_view op) {
  std::string reason;
  const std::vector<Adapter>& all = adapters(reason);
  if (index < static_cast<int>(all.size())) return all[static_cast<std::size_t>(index)];
  if (reason.empty()) reason = text(all.size(), " present");
  fail(Errc::device, op,
       text("device: got ", named(index), " (", reason, "), expected a WebGPU adapter"));
}

// Spreads workgroups over x, y and z; the kernel ignores those beyond its count.
std::array<std::uint32_t, 3> spread(std::uint64_t count, std::uint64_t most) {
  const std::uint64_t x = std::min(count, most);
  const std::uint64_t rows = (count + x - 1) / x;
  const std::uint64_t y = std::min(rows, most);
  const std::uint64_t z = (rows + y - 1) / y;
  return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y),
          static_cast<std::uint32_t>(z)};
}

}  // namespace

bool checked_shaders() {
  static const bool checked = [] {
    const char* value = std::getenv("SPIRALTORCH_WGPU_CHECKED");
    return value != nullptr && std::string_view(value) == "1";
  }();
  return checked;
}

Device& Device::opened(int index) noexcept {
  const std::lock_guard lock(open_devices().mutex);
  return *open_devices().devices[index];
}

Device& Device::get(int index, std::string_view op) {
  Device& device = find(index, op);
  device.health_.check(op, index);
  return device;
}

Device& Device::find(int index, std::string_view op) {
  Device* device = nullptr;
  {
    const std::lock_guard lock(open_devices().mutex);
    auto& slot = open_devices().devices[index];
    if (slot == nullptr) {
      slot = std::unique_ptr<Device>(new Device(index, adapter_at(index, op)));
    }
    device = slot.get();
  }
  if (device->process_ != getpid()) {
    fail(Errc::device, op,
         text("device: got ", named(index),
              " in a forked process, expected the one that opened it"));
  }
  if (device->health_.lost()) device->health_.check(op, index);
  device->prepare();
  return *device;
}

Device::Device(int index, const Adapter& adapter)
    : index_(index), adapter_(adapter), process_(getpid()) {
  open();
  const WGPULimits& l = adapter.limits;
  limits_.max_workgroup = l.maxComputeInvocationsPerWorkgroup;
  limits_.shared_bytes = l.maxComputeWorkgroupStorageSize;
  limits_.binding_bytes = l.maxStorageBufferBindingSize / 256 * 256;
  limits_.buffer_bytes = l.maxBufferSize / 256 * 256;
  limits_.max_groups = l.maxComputeWorkgroupsPerDimension;
  memory_ = std::make_unique<Memory>(handle_, limits_.buffer_bytes);
  stream_ = std::make_unique<Stream>(handle_, health_, index_);
}

// Not in the constructor: from here on the driver may call back, so the object must stay.
void Device::prepare() {
  const std::lock_guard lock(mutex_);
  if (prepared_) return;
  if (adapter_.subgroups) measure_subgroup();
  prepared_ = true;
}

void Device::open() {
  WGPUDeviceDescriptor descriptor = WGPU_DEVICE_DESCRIPTOR_INIT;
  descriptor.label = view("spiraltorch");
  const WGPUFeatureName subgroup = kFeatureSubgroup;
  descriptor.requiredFeatures = &subgroup;
  descriptor.requiredFeatureCount = adapter_.subgroups ? 1 : 0;
  descriptor.requiredLimits = &adapter_.limits;  // everything the adapter has
  descriptor.deviceLostCallbackInfo.mode = WGPUCallbackMode_AllowSpontaneous;
  descriptor.deviceLostCallbackInfo.userdata1 = &health_;
  descriptor.deviceLostCallbackInfo.callback = [](WGPUDevice const*, WGPUDeviceLostReason,
                                                  WGPUStringView message, void* health, void*) {
    static_cast<Health*>(health)->report_loss(to_string(message));
  };
  descriptor.uncapturedErrorCallbackInfo.userdata1 = &health_;
  descriptor.uncapturedErrorCallbackInfo.callback =
      [](WGPUDevice const*, WGPUErrorType, WGPUStringView message, void* health, void*) {
        static_cast<Health*>(health)->report(to_string(message));
      };
  struct Answer {
    WGPUDevice device = nullptr;
    std::string message;
  } answer;
  WGPURequestDeviceCallbackInfo info = WGPU_REQUEST_DEVICE_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_AllowSpontaneous;
  info.userdata1 = &answer;
  info.callback = [](WGPURequestDeviceStatus, WGPUDevice device, WGPUStringView message, void* to,
                     void*) {
    *static_cast<Answer*>(to) = {device, to_string(message)};
  };
  api().AdapterRequestDevice(adapter_.handle, &descriptor, info);  // calls back before it returns
  if (answer.device == nullptr) {
    fail(Errc::device, "wgpu",
         text("device ", named(index_), " (", adapter_.name,
              ") cannot be opened: ", answer.message));
  }
  handle_ = answer.device;
}

// Adapters may report no subgroup sizes: a kernel tells the one in use.
void Device::measure_subgroup() {
  const Scratch out(*this, 4);
  const Binding binding{&out.block(), 0, 4};
  dispatch(kSubgroupSize, {}, {&binding, 1}, {}, 1);
  std::uint32_t size = 0;
  download(out.block(), 0, &size, 4);
  limits_.subgroup_min = std::max<std::uint32_t>(1, size);
  limits_.subgroups = size > 1;
  has_subgroups_ = limits_.subgroups;
}

void Device::set_subgroups(bool on) noexcept { limits_.subgroups = on && has_subgroups_; }

std::size_t Device::KeyHash::operator()(const Key& key) const noexcept {
  auto hash = reinterpret_cast<std::size_t>(key.shader);
  for (const std::int64_t value : key.values) {
    hash = (hash ^ static_cast<std::size_t>(value)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 31U;
  }
  return hash;
}

WGPUComputePipeline Device::pipeline(const Shader& shader, std::span<const Constant> constants,
                                     std::size_t bindings) {
  Key key{&shader, {}};
  for (std::size_t i = 0; i < constants.size(); ++i) key.values[i] = constants[i].value;
  const auto found = pipelines_.find(key);
  if (found != pipelines_.end()) return found->second;
  WGPUComputePipeline made = compile(shader, constants, bindings);
  pipelines_.emplace(key, made);
  return made;
}

WGPUComputePipeline Device::compile(const Shader& shader, std::span<const Constant> constants,
                                    std::size_t bindings) {
  std::string code;
  for (const Constant& c : constants) code += text("const ", c.name, ": u32 = ", c.value, "u;\n");
  for (const std::string_view part : shader.parts) code.append(part).append("\n");
  WGPUShaderSourceWGSL source = WGPU_SHADER_SOURCE_WGSL_INIT;
  source.code = view(code);
  WGPUShaderModuleDescriptor module = WGPU_SHADER_MODULE_DESCRIPTOR_INIT;
  module.label = view(shader.name);
  module.nextInChain = &source.chain;
  WGPUComputePipelineDescriptor descriptor = WGPU_COMPUTE_PIPELINE_DESCRIPTOR_INIT;
  descriptor.label = view(shader.name);
  descriptor.layout = stream_->layout(bindings);
  descriptor.compute.entryPoint = view("main");
  WGPUComputePipeline made = nullptr;
  const Caught caught = catch_errors(handle_, [&] {
    descriptor.compute.module = checked_shaders()
                                    ? api().DeviceCreateShaderModule(handle_, &module)
                                    : api().DeviceCreateShaderModuleTrusted(handle_, &module, 0);
    if (descriptor.compute.module == nullptr) return;
    made = api().DeviceCreateComputePipeline(handle_, &descriptor);
    api().ShaderModuleRelease(descriptor.compute.module);
  });
  std::string message = health_.take();  // a driver's own failure passes the scopes
  if (!caught.message.empty()) message = caught.message;
  if (message.empty() && made != nullptr && !health_.lost()) return made;
  if (made != nullptr) api().ComputePipelineRelease(made);
  health_.check(shader.name, index_);  // a loss outweighs the message
  if (message.empty()) message = "no reason given";
  fail(Errc::device, shader.name,
       text("kernel does not compile on ", named(index_), " (", adapter_.name, "): ", message));
}

void Device::make_room() {
  stream_->wait();
  stream_->forget_groups();
  memory_->trim();
}

Block* Device::allocate(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto refuse = [&](const std::string& reason) {
    fail(Errc::out_of_memory, "allocate",
         text("bytes on ", named(index_), ": got ", bytes, ", expected ", reason));
  };
  if (bytes > limits_.buffer_bytes) {
    refuse(text("at most ", limits_.buffer_bytes, ", the adapter's largest buffer"));
  }
  std::string reason;
  Block* block = memory_->allocate(bytes, reason);
  if (block == nullptr) {
    make_room();
    block = memory_->allocate(bytes, reason);
  }
  if (block != nullptr && !health_.lost()) return block;
  if (block != nullptr) memory_->release(block);
  health_.check("allocate", index_);
  refuse(text("less than what is free (", reason, ')'));
  return nullptr;
}

void Device::release(Block* block) noexcept {
  if (process_ != getpid()) return;
  const std::lock_guard lock(mutex_);
  memory_->release(block);
}

void Device::upload(Block& to, std::uint64_t offset, const void* from, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  stream_->upload(to, offset, from, bytes);
}

void Device::download(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::string reason;
  if (!stream_->reserve_staging(bytes, reason)) {
    make_room();
    if (!stream_->reserve_staging(bytes, reason)) {
      health_.check("download", index_);
      fail(Errc::out_of_memory, "download",
           text("bytes on ", named(index_), ": got ", bytes,
                ", expected memory to read them through (", reason, ')'));
    }
  }
  stream_->download(from, offset, to, bytes);
}

void Device::synchronize() {
  const std::lock_guard lock(mutex_);
  stream_->wait();
}

void Device::dispatch(const Shader& shader, std::span<const Constant> constants,
                      std::span<const Binding> bindings, std::span<const std::byte> params,
                      std::uint64_t workgroups) {
  if (workgroups == 0) return;
  const std::lock_guard lock(mutex_);
  for (const Binding& b : bindings) {
    if (b.bytes <= limits_.binding_bytes) continue;
    fail(Errc::unsupported, shader.name,
         text("operand on ", named(index_), ": got ", b.bytes, " bytes, expected at most ",
              limits_.binding_bytes, ", the adapter's largest binding"));
  }
  stream_->dispatch(shader.name, pipeline(shader, constants, bindings.size()), bindings, params,
                    spread(workgroups, limits_.max_groups));
}

}  // namespace spiraltorch::wgpu
