#include "backend/wgpu/memory.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace spiraltorch::wgpu {
namespace {

constexpr std::uint64_t kAlign = 256;
constexpr std::uint64_t kOwnBuffer = std::uint64_t{1} << 20U;
constexpr std::uint64_t kChunk = std::uint64_t{8} << 20U;

}  // namespace

std::uint64_t size_class(std::uint64_t bytes) {
  const std::uint64_t least = std::max(bytes, kAlign);
  const std::uint64_t step = std::max(kAlign, std::bit_floor(least) / 8);
  return (least + step - 1) / step * step;
}

WGPUBuffer Memory::create(std::uint64_t bytes, std::string& reason) {
  WGPUBufferDescriptor descriptor = WGPU_BUFFER_DESCRIPTOR_INIT;
  descriptor.size = bytes;
  descriptor.usage = WGPUBufferUsage_Storage | WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst;
  WGPUBuffer buffer = nullptr;
  const Caught caught =
      catch_errors(device_, [&] { buffer = api().DeviceCreateBuffer(device_, &descriptor); });
  if (caught.message.empty() && buffer != nullptr) return buffer;
  reason = caught.message.empty() ? "no buffer" : caught.message;
  if (buffer != nullptr) api().BufferRelease(buffer);
  return nullptr;
}

Block* Memory::carve(std::uint64_t size, std::string& reason) {
  Block block{nullptr, 0, size, 0};
  if (size >= kOwnBuffer) {
    block.buffer = create(size, reason);
    if (block.buffer == nullptr) return nullptr;
  } else {
    if (chunk_ == nullptr || chunk_used_ + size > kChunk) {
      WGPUBuffer fresh = create(kChunk, reason);
      if (fresh == nullptr) return nullptr;
      chunk_ = fresh;
      chunk_used_ = 0;
    }
    block.buffer = chunk_;
    block.offset = chunk_used_;
    chunk_used_ += size;
  }
  blocks_.push_back(std::make_unique<Block>(block));
  return blocks_.back().get();
}

Block* Memory::allocate(std::uint64_t bytes, std::string& reason) {
  const std::uint64_t size = std::min(size_class(bytes), largest_);
  const auto found = free_.find(size);
  if (found != free_.end() && !found->second.empty()) {
    Block* block = found->second.back();
    found->second.pop_back();
    return block;
  }
  return carve(size, reason);
}

void Memory::release(Block* block) noexcept {
  try {
    free_[block->capacity].push_back(block);
  } catch (...) {  // no memory for the list: the block stays unused
  }
}

void Memory::trim() {
  std::unordered_map<WGPUBuffer, std::size_t> live;  // blocks
  for (const auto& block : blocks_) ++live[block->buffer];
  for (const auto& [size, list] : free_) {
    for (const Block* block : list) --live[block->buffer];
  }
  const auto idle = [&](const auto& block) { return live.at(block->buffer) == 0; };
  for (auto& [size, list] : free_) std::erase_if(list, idle);
  std::erase_if(blocks_, idle);
  for (const auto& [buffer, blocks] : live) {
    if (blocks > 0) continue;
    if (buffer == chunk_) chunk_ = nullptr;
    api().BufferDestroy(buffer);
    api().BufferRelease(buffer);
  }
}

}  // namespace spiraltorch::wgpu
