#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "backend/wgpu/health.hpp"
#include "backend/wgpu/native.hpp"

namespace spiraltorch::wgpu {

/// A piece of a GPU buffer: what a `Buffer` of this device holds.
struct Block {
  WGPUBuffer buffer = nullptr;
  std::uint64_t offset = 0;      ///< a multiple of 256
  std::uint64_t capacity = 0;    ///< the size class
  std::uint64_t last_batch = 0;  ///< the last command buffer that uses it
};

/// Storage memory in size classes (eighths of powers of two, at least 256 bytes). Blocks below 1
/// MiB are cut from 8 MiB buffers, larger ones have a buffer of their own; released blocks are kept
/// for reuse. The queue runs in order, so a block may be handed out again while work on it is
/// pending.
class Memory {
 public:
  /// `largest`: bytes of the largest buffer, a multiple of 256.
  Memory(WGPUDevice device, std::uint64_t largest) : device_(device), largest_(largest) {}
  /// At most `largest`. Null where the device has no memory; `reason` is its message.
  Block* allocate(std::uint64_t bytes, std::string& reason);
  void release(Block* block) noexcept;
  /// Gives buffers without a live block back to the device. Work on them must have ended.
  void trim();

 private:
  WGPUBuffer create(std::uint64_t bytes, std::string& reason);
  Block* carve(std::uint64_t size, std::string& reason);

  WGPUDevice device_;
  std::uint64_t largest_;
  std::vector<std::unique_ptr<Block>> blocks_;         // every block ever made and not trimmed
  std::map<std::uint64_t, std::vector<Block*>> free_;  // by size class
  WGPUBuffer chunk_ = nullptr;                         // small blocks are cut from it
  std::uint64_t chunk_used_ = 0;
};

/// The size class that holds `bytes`.
[[nodiscard]] std::uint64_t size_class(std::uint64_t bytes);

}  // namespace spiraltorch::wgpu
