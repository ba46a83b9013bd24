#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/wgpu/health.hpp"
#include "backend/wgpu/memory.hpp"
#include "backend/wgpu/native.hpp"

namespace spiraltorch::wgpu {

/// A range of a block as a kernel sees it.
struct Binding {
  Block* block = nullptr;
  std::uint64_t offset = 0;  ///< within the block; a multiple of 256
  std::uint64_t bytes = 0;
  bool operator==(const Binding&) const = default;
};

/// Records dispatches into one compute pass and submits them together: when a host read or write
/// demands it, or after `kBatch` of them.
class Stream {
 public:
  static constexpr std::uint32_t kBatch = 128;
  static constexpr std::uint32_t kParamSlot = 256;  // alignment of a dynamic uniform offset

  Stream(WGPUDevice device, Health& health, int index);

  void dispatch(std::string_view name, WGPUComputePipeline pipeline,
                std::span<const Binding> bindings, std::span<const std::byte> params,
                std::array<std::uint32_t, 3> groups);
  /// Submits what is recorded.
  void flush();
  void upload(Block& to, std::uint64_t offset, const void* from, std::uint64_t bytes);
  /// Makes the buffer that a download of `bytes` goes through; false without memory for it.
  [[nodiscard]] bool reserve_staging(std::uint64_t bytes, std::string& reason);
  void download(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes);
  /// Submits, and waits until the queue is empty.
  void wait();
  /// Forgets bind groups: they keep buffers alive.
  void forget_groups();
  /// The layout of a pipeline with `bindings` storage bindings beside its parameters.
  [[nodiscard]] WGPUPipelineLayout layout(std::size_t bindings);

 private:
  struct Layouts {
    WGPUBindGroupLayout group = nullptr;
    WGPUPipelineLayout pipeline = nullptr;
  };
  struct Range {
    WGPUBuffer buffer;
    std::uint64_t offset;
    std::uint64_t bytes;
    bool operator==(const Range&) const = default;
  };
  using GroupKey = std::vector<Range>;
  struct GroupHash {
    std::size_t operator()(const GroupKey& key) const noexcept;
  };
  struct Mapped {  // a member: the answer of a lost device may come late
    bool done = false;
    bool good = false;
    std::string message;
  };
  const Layouts& layouts(std::size_t bindings);
  WGPUBindGroup group(std::span<const Binding> bindings);
  WGPUBindGroup make_group(const GroupKey& key);
  void begin_pass();
  void end_pass();
  void submit_writes();
  void read_chunk(const Block& from, std::uint64_t offset, void* to, std::uint64_t bytes);
  void map_staging(void* to, std::uint64_t bytes);
  void drop_staging();
  [[noreturn]] void raise(std::string_view op, const std::string& message);

  WGPUDevice device_;
  Health& health_;
  int index_;
  WGPUQueue queue_;
  WGPUCommandEncoder encoder_ = nullptr;
  WGPUComputePassEncoder pass_ = nullptr;
  WGPUComputePipeline pipeline_ = nullptr;  // the pass's current one
  std::uint64_t batch_ = 1;
  std::uint32_t recorded_ = 0;
  std::uint64_t written_ = 0;  // bytes since the last submission
  std::vector<std::byte> params_;
  WGPUBuffer params_buffer_ = nullptr;
  WGPUBuffer staging_ = nullptr;
  std::uint64_t staging_bytes_ = 0;
  Mapped mapped_;
  std::deque<SubmissionIndex> in_flight_;
  std::string last_names_;  // of the kernels in this batch, for error messages
  std::array<Layouts, 9> layouts_{};
  std::unordered_map<GroupKey, WGPUBindGroup, GroupHash> groups_;
  GroupKey key_;  // reused
};

}  // namespace spiraltorch::wgpu
