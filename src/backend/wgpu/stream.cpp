#include "backend/wgpu/stream.hpp"

#include <algorithm>
#include <cstring>

#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {
namespace {

constexpr std::size_t kMostGroups = 8192;
constexpr std::size_t kMostInFlight = 8;  // submissions: the host may not run ahead without end
constexpr std::uint64_t kMostStaging = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMostWritten = std::uint64_t{256} << 20U;
constexpr std::size_t kMostNames = 400;

}  // namespace

Stream::Stream(WGPUDevice device, Health& health, int index)
    : device_(device),
      health_(health),
      index_(index),
      queue_(api().DeviceGetQueue(device)),
      params_(std::size_t{kBatch} * kParamSlot) {
  WGPUBufferDescriptor descriptor = WGPU_BUFFER_DESCRIPTOR_INIT;
  descriptor.size = params_.size();
  descriptor.usage = WGPUBufferUsage_Uniform | WGPUBufferUsage_CopyDst;
  params_buffer_ = api().DeviceCreateBuffer(device_, &descriptor);
}

void Stream::raise(std::string_view op, const std::string& message) {
  health_.check(op, index_);
  fail(Errc::device, op,
       text("device ", to_text(DeviceId{DeviceType::wgpu, index_}), " failed: ", message));
}

const Stream::Layouts& Stream::layouts(std::size_t bindings) {
  Layouts& out = layouts_[bindings];
  if (out.pipeline != nullptr) return out;
  std::vector<WGPUBindGroupLayoutEntry> entries(bindings + 1, WGPU_BIND_GROUP_LAYOUT_ENTRY_INIT);
  for (std::size_t i = 0; i <= bindings; ++i) {
    entries[i].binding = static_cast<std::uint32_t>(i);
    entries[i].visibility = WGPUShaderStage_Compute;
    entries[i].buffer.type = i == 0 ? WGPUBufferBindingType_Uniform : WGPUBufferBindingType_Storage;
    entries[i].buffer.hasDynamicOffset = i == 0 ? 1 : 0;
  }
  WGPUBindGroupLayoutDescriptor group = WGPU_BIND_GROUP_LAYOUT_DESCRIPTOR_INIT;
  group.entryCount = entries.size();
  group.entries = entries.data();
  out.group = api().DeviceCreateBindGroupLayout(device_, &group);
  WGPUPipelineLayoutDescriptor pipeline = WGPU_PIPELINE_LAYOUT_DESCRIPTOR_INIT;
  pipeline.bindGroupLayoutCount = 1;
  pipeline.bindGroupLayouts = &out.group;
  out.pipeline = api().DeviceCreatePipelineLayout(device_, &pipeline);
  return out;
}

WGPUPipelineLayout Stream::layout(std::size_t bindings) { return layouts(bindings).pipeline; }

std::size_t Stream::GroupHash::operator()(const GroupKey& key) const noexcept {
  std::size_t hash = key.size();
  for (const Range& range : key) {
    for (const std::uint64_t part :
         {reinterpret_cast<std::uint64_t>(range.buffer), range.offset, range.bytes}) {
      hash = (hash ^ static_cast<std::size_t>(part)) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29U;
    }
  }
  return hash;
}

WGPUBindGroup Stream::make_group(const GroupKey& key) {
  std::array<WGPUBindGroupEntry, 9> entries{};
  entries[0] = WGPU_BIND_GROUP_ENTRY_INIT;
  entries[0].buffer = params_buffer_;
  entries[0].size = kParamSlot;
  for (std::size_t i = 0; i < key.size(); ++i) {
    WGPUBindGroupEntry& entry = entries[i + 1] = WGPU_BIND_GROUP_ENTRY_INIT;
    entry.binding = static_cast<std::uint32_t>(i + 1);
    entry.buffer = key[i].buffer;
    entry.offset = key[i].offset;
    entry.size = key[i].bytes;
  }
  WGPUBindGroupDescriptor descriptor = WGPU_BIND_GROUP_DESCRIPTOR_INIT;
  descriptor.layout = layouts(key.size()).group;
  descriptor.entryCount = key.size() + 1;
  descriptor.entries = entries.data();
  WGPUBindGroup group = nullptr;
  const Caught caught =
      catch_errors(device_, [&] { group = api().DeviceCreateBindGroup(device_, &descriptor); });
  if (caught.message.empty() && group != nullptr) return group;
  if (group != nullptr) api().BindGroupRelease(group);
  raise("wgpu", caught.message.empty() ? "no bind group" : caught.message);
}

WGPUBindGroup Stream::group(std::span<const Binding> bindings) {
  key_.clear();
  for (const Binding& b : bindings) {
    key_.push_back({b.block->buffer, b.block->offset + b.offset, (b.bytes + 3) / 4 * 4});
  }
  const auto found = groups_.find(key_);
  if (found != groups_.end()) return found->second;
  if (groups_.size() >= kMostGroups) forget_groups();
  WGPUBindGroup group = make_group(key_);
  groups_.emplace(key_, group);
  return group;
}

// The pass may still use them: a recorded bind group is kept alive by its command buffer.
void Stream::forget_groups() {
  for (const auto& [key, group] : groups_) api().BindGroupRelease(group);
  groups_.clear();
}

void Stream::begin_pass() {
  if (encoder_ == nullptr) {
    encoder_ = api().DeviceCreateCommandEncoder(device_, nullptr);
    last_names_.clear();
  }
  if (pass_ == nullptr) {
    pass_ = api().CommandEncoderBeginComputePass(encoder_, nullptr);
    pipeline_ = nullptr;
  }
}

void Stream::end_pass() {
  if (pass_ == nullptr) return;
  api().ComputePassEncoderEnd(pass_);
  api().ComputePassEncoderRelease(pass_);
  pass_ = nullptr;
}

void Stream::dispatch(std::string_view name, WGPUComputePipeline pipeline,
                      std::span<const Binding> bindings, std::span<const std::byte> params,
                      std::array<std::uint32_t, 3> groups) {
  WGPUBindGroup bound = group(bindings);
  begin_pass();
  if (pipeline != pipeline_) {
    api().ComputePassEncoderSetPipeline(pass_, pipeline);
    pipeline_ = pipeline;
  }
  const std::uint32_t slot = recorded_ * kParamSlot;
  if (!params.empty()) std::memcpy(params_.data() + slot, params.data(), params.size());
  api().ComputePassEncoderSetBindGroup(pass_, 0, bound, 1, &slot);
  api().ComputePassEncoderDispatchWorkgroups(pass_, groups[0], groups[1], groups[2]);
  for (const Binding& b : bindings) b.block->last_batch = batch_;
  if (last_names_.size() < kMostNames)
    last_names_.append(last_names_.empty() ? "" : ", ").append(name);
  if (++recorded_ == kBatch) flush();
}

void Stream::flush() {
  if (encoder_ == nullptr) return;
  end_pass();
  WGPUCommandBuffer commands = nullptr;
  SubmissionIndex index = 0;
  const Caught caught = catch_errors(device_, [&] {
    commands = api().CommandEncoderFinish(encoder_, nullptr);
    if (recorded_ > 0) {
      api().QueueWriteBuffer(queue_, params_buffer_, 0, params_.data(),
                             std::size_t{recorded_} * kParamSlot);
    }
    index = api().QueueSubmitForIndex(queue_, 1, &commands);
  });
  api().CommandBufferRelease(commands);
  api().CommandEncoderRelease(encoder_);
  encoder_ = nullptr;
  recorded_ = 0;
  written_ = 0;
  ++batch_;
  std::string message = health_.take();
  if (!caught.message.empty()) message = caught.message;
  if (!message.empty()) {
    if (!last_names_.empty()) message += text(" (kernels: ", last_names_, ')');
    raise("wgpu", message);
  }
  in_flight_.push_back(index);  // only now: the number of a refused submission is none to wait for
  if (in_flight_.size() > kMostInFlight) {
    api().DevicePoll(device_, 1, &in_flight_.front());
    in_flight_.pop_front();
  } else {
    api().DevicePoll(device_, 0, nullptr);
  }
  health_.check("wgpu", index_);
}

// The library keeps a copy of what is written until a submission after it has ended.
void Stream::submit_writes() {
  SubmissionIndex index = 0;
  const Caught caught =
      catch_errors(device_, [&] { index = api().QueueSubmitForIndex(queue_, 0, nullptr); });
  written_ = 0;
  if (!caught.message.empty()) raise("upload", caught.message);
  health_.check("upload", index_);
  api().DevicePoll(device_, 1, &index);
}

void Stream::upload(Block& to, std::uint64_t offset, const void* from, std::uint64_t bytes) {
  if (to.last_batch == batch_) flush();  // written before anything recorded so far
  const auto* bytes_from = static_cast<const std::byte*>(from);
  for (std::uint64_t done = 0; done < bytes; done += kMostStaging) {
    const std::uint64_t part = std::min(kMostStaging, bytes - done);
    api().QueueWriteBuffer(queue_, to.buffer, to.offset + offset + done, bytes_from + done, part);
    written_ += part;
    if (written_ >= kMostWritten) submit_writes();
  }
  health_.check("upload", index_);
}

void Stream::drop_staging() {
  if (staging_ != nullptr) api().BufferRelease(staging_);
  staging_ = nullptr;
  staging_bytes_ = 0;
}

bool Stream::reserve_staging(std::uint64_t bytes, std::string& reason) {
  const std::uint64_t wanted = std::min(size_class(bytes), kMostStaging);
  if (staging_bytes_ >= wanted) return true;
  drop_staging();
  WGPUBufferDescriptor descriptor = WGPU_BUFFER_DESCRIPTOR_INIT;
  descriptor.size = wanted;
  descriptor.usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst;
  const Caught caught =
      catch_errors(device_, [&] { staging_ = api().DeviceCreateBuffer(device_, &descriptor); });
  if (caught.message.empty() && staging_ != nullptr) {
    staging_bytes_ = wanted;
    return true;
  }
  reason = caught.message.empty() ? "no buffer" : caught.message;
  drop_staging();
  return false;
}

void Stream::download(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes) {
  for (std::uint64_t done = 0; done < bytes; done += kMostStaging) {
    const std::uint64_t part = std::min(kMostStaging, bytes - done);
    read_chunk(from, offset + done, static_cast<std::byte*>(to) + done, part);
  }
}

void Stream::read_chunk(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes) {
  if (encoder_ == nullptr) {
    encoder_ = api().DeviceCreateCommandEncoder(device_, nullptr);
    last_names_.clear();
  }
  end_pass();
  const std::uint64_t aligned = (bytes + 3) / 4 * 4;
  api().CommandEncoderCopyBufferToBuffer(encoder_, from.buffer, from.offset + offset, staging_, 0,
                                         aligned);
  flush();
  map_staging(to, bytes);
}

void Stream::map_staging(void* to, std::uint64_t bytes) {
  Mapped& mapped = mapped_ = {};
  WGPUBufferMapCallbackInfo info = WGPU_BUFFER_MAP_CALLBACK_INFO_INIT;
  info.mode = WGPUCallbackMode_AllowSpontaneous;
  info.userdata1 = &mapped;
  info.callback = [](WGPUMapAsyncStatus status, WGPUStringView message, void* out, void*) {
    auto* m = static_cast<Mapped*>(out);
    m->good = status == WGPUMapAsyncStatus_Success;
    m->message = to_string(message);
    m->done = true;
  };
  const std::uint64_t aligned = (bytes + 3) / 4 * 4;
  api().BufferMapAsync(staging_, WGPUMapMode_Read, 0, aligned, info);
  // The poll waits for the queue and calls back; a lost device calls back with an error.
  for (int tries = 0; !mapped.done && tries < 1000; ++tries) api().DevicePoll(device_, 1, nullptr);
  in_flight_.clear();
  if (!mapped.good) {
    const std::string answer = mapped.done ? mapped.message : "no answer";
    drop_staging();  // it may be waiting to be mapped for ever
    raise("download", text("mapping a buffer: ", answer));
  }
  const void* data = api().BufferGetConstMappedRange(staging_, 0, aligned);
  if (data != nullptr) std::memcpy(to, data, bytes);
  api().BufferUnmap(staging_);
  if (data == nullptr) raise("download", "the mapped range is empty");
  health_.check("download", index_);
}

void Stream::wait() {
  flush();
  api().DevicePoll(device_, 1, nullptr);
  in_flight_.clear();
  health_.check("synchronize", index_);
}

}  // namespace spiraltorch::wgpu
