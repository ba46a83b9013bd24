#include <algorithm>

#include "fake.hpp"

using namespace fake;

namespace {

bool is_bad(const Range& range) { return range.storage->destroyed || range.storage->invalid; }

// What the standard demands of one binding; binding 0 holds the parameters.
std::string judge(WGPUDevice device, const Range& range, bool is_storage) {
  const std::uint64_t most = device->adapter->limits.maxStorageBufferBindingSize;
  if (is_bad(range)) return "a binding's buffer is not valid";
  if (range.offset % 256 != 0) return "a binding's offset is no multiple of 256";
  if (range.size % 4 != 0 || range.size == 0) return "a binding's size";
  if (range.offset + range.size > range.storage->bytes.size()) return "a binding beyond its buffer";
  if (is_storage && range.size > most) return "a binding over the limit";
  return {};
}

}  // namespace

WGPUBindGroupLayout wgpuDeviceCreateBindGroupLayout(
    WGPUDevice device, WGPUBindGroupLayoutDescriptor const* descriptor) {
  use(device, "DeviceCreateBindGroupLayout");
  return new WGPUBindGroupLayoutImpl{descriptor->entryCount};
}

WGPUPipelineLayout wgpuDeviceCreatePipelineLayout(WGPUDevice device,
                                                  WGPUPipelineLayoutDescriptor const*) {
  use(device, "DeviceCreatePipelineLayout");
  return new WGPUPipelineLayoutImpl;
}

WGPUShaderModule wgpuDeviceCreateShaderModule(WGPUDevice device,
                                              WGPUShaderModuleDescriptor const* descriptor) {
  const Fault fault = use(device, "DeviceCreateShaderModule");
  if (fault.kind == Kind::null) return nullptr;
  return new WGPUShaderModuleImpl{text(descriptor->label)};
}

FAKE_EXPORT WGPUShaderModule wgpuDeviceCreateShaderModuleTrusted(
    WGPUDevice device, WGPUShaderModuleDescriptor const* descriptor, WGPUFlags) {
  const Fault fault = use(device, "DeviceCreateShaderModuleTrusted");
  if (fault.kind == Kind::null) return nullptr;
  return new WGPUShaderModuleImpl{text(descriptor->label)};
}

void wgpuShaderModuleRelease(WGPUShaderModule module) {
  use("ShaderModuleRelease");
  delete module;
}

WGPUComputePipeline wgpuDeviceCreateComputePipeline(
    WGPUDevice device, WGPUComputePipelineDescriptor const* descriptor) {
  const Fault fault = use(device, "DeviceCreateComputePipeline");
  if (fault.kind == Kind::null) return nullptr;
  return new WGPUComputePipelineImpl{descriptor->compute.module->label};
}

void wgpuComputePipelineRelease(WGPUComputePipeline pipeline) {
  use("ComputePipelineRelease");
  delete pipeline;
}

WGPUBindGroup wgpuDeviceCreateBindGroup(WGPUDevice device,
                                        WGPUBindGroupDescriptor const* descriptor) {
  const Fault fault = use(device, "DeviceCreateBindGroup");
  if (fault.kind == Kind::null) return nullptr;
  auto* group = new WGPUBindGroupImpl;
  for (std::size_t i = 0; i < descriptor->entryCount; ++i) {
    const WGPUBindGroupEntry& entry = descriptor->entries[i];
    group->ranges.push_back({entry.buffer->storage, entry.offset, entry.size});
    const std::string complaint = fault ? "" : judge(device, group->ranges.back(), i > 0);
    if (!complaint.empty()) report(device, {Kind::validation, complaint});
  }
  return group;
}

void wgpuBindGroupRelease(WGPUBindGroup group) {
  use("BindGroupRelease");
  delete group;
}

WGPUCommandEncoder wgpuDeviceCreateCommandEncoder(WGPUDevice device,
                                                  WGPUCommandEncoderDescriptor const*) {
  use(device, "DeviceCreateCommandEncoder");
  return new WGPUCommandEncoderImpl{device};
}

WGPUComputePassEncoder wgpuCommandEncoderBeginComputePass(WGPUCommandEncoder encoder,
                                                          WGPUComputePassDescriptor const*) {
  use(encoder->device, "CommandEncoderBeginComputePass");
  if (encoder->in_pass) violation("a pass within a pass");
  encoder->in_pass = true;
  return new WGPUComputePassEncoderImpl{encoder};
}

void wgpuComputePassEncoderSetPipeline(WGPUComputePassEncoder pass, WGPUComputePipeline pipeline) {
  use("ComputePassEncoderSetPipeline");
  pass->pipeline = pipeline;
}

void wgpuComputePassEncoderSetBindGroup(WGPUComputePassEncoder pass, std::uint32_t,
                                        WGPUBindGroup group, std::size_t count,
                                        std::uint32_t const* offsets) {
  use("ComputePassEncoderSetBindGroup");
  pass->ranges = group->ranges;
  pass->dynamic_offset = count > 0 ? offsets[0] : 0;
}

void wgpuComputePassEncoderDispatchWorkgroups(WGPUComputePassEncoder pass, std::uint32_t x,
                                              std::uint32_t y, std::uint32_t z) {
  WGPUCommandEncoder encoder = pass->encoder;
  use(encoder->device, "ComputePassEncoderDispatchWorkgroups");
  const std::uint32_t most = encoder->device->adapter->limits.maxComputeWorkgroupsPerDimension;
  if (std::max({x, y, z}) > most) violation("too many workgroups in one dimension");
  if (pass->pipeline == nullptr) violation("a dispatch without a pipeline");
  encoder->commands.push_back(
      {pass->pipeline->label, pass->ranges, pass->dynamic_offset, std::uint64_t{x} * y * z});
}

void wgpuComputePassEncoderEnd(WGPUComputePassEncoder pass) {
  use("ComputePassEncoderEnd");
  pass->encoder->in_pass = false;
}

void wgpuComputePassEncoderRelease(WGPUComputePassEncoder pass) {
  use("ComputePassEncoderRelease");
  delete pass;
}

void wgpuCommandEncoderCopyBufferToBuffer(WGPUCommandEncoder encoder, WGPUBuffer source,
                                          std::uint64_t source_offset, WGPUBuffer destination,
                                          std::uint64_t destination_offset, std::uint64_t size) {
  use(encoder->device, "CommandEncoderCopyBufferToBuffer");
  if (encoder->in_pass) violation("a copy within a pass");
  if (source->storage == destination->storage) violation("a copy within one buffer");
  encoder->commands.push_back(
      {"",
       {{source->storage, source_offset, size}, {destination->storage, destination_offset, size}}});
}

WGPUCommandBuffer wgpuCommandEncoderFinish(WGPUCommandEncoder encoder,
                                           WGPUCommandBufferDescriptor const*) {
  const Fault fault = use(encoder->device, "CommandEncoderFinish");
  if (encoder->in_pass) violation("an encoder finished within a pass");
  if (fault) return new WGPUCommandBufferImpl{};
  return new WGPUCommandBufferImpl{std::move(encoder->commands)};
}

void wgpuCommandEncoderRelease(WGPUCommandEncoder encoder) {
  use("CommandEncoderRelease");
  delete encoder;
}

void wgpuCommandBufferRelease(WGPUCommandBuffer commands) {
  use("CommandBufferRelease");
  delete commands;
}

// A submission that fails does nothing and has no number.
FAKE_EXPORT std::uint64_t wgpuQueueSubmitForIndex(WGPUQueue queue, std::size_t count,
                                                  WGPUCommandBuffer const* buffers) {
  WGPUDevice device = queue->device;
  if (use(device, "QueueSubmitForIndex")) return 0;
  std::string labels;
  ++device->submitted;
  for (std::size_t i = 0; i < count; ++i) {
    for (const Command& command : buffers[i]->commands) {
      if (std::any_of(command.ranges.begin(), command.ranges.end(), is_bad)) {
        report(device, {Kind::validation, "submitted work uses a buffer that is not valid"});
        return 0;
      }
      for (const Range& range : command.ranges) range.storage->last_use = device->submitted;
      execute(command);
      if (!command.label.empty()) labels += (labels.empty() ? "" : ",") + command.label;
    }
  }
  device->adapter->submissions.push_back(labels);
  return device->submitted;
}
