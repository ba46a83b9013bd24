#include "backend/cpu/allocator.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::cpu {
namespace {

constexpr std::size_t kAlign = 64;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Sizes are rounded up to an eighth of their power of two, so that a released block fits the next
// request of about its size and at most an eighth is wasted.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max(std::bit_floor(bytes) / 8, kAlign);
  return std::max(kAlign, (bytes + step - 1) / step * step);
}

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kSmallKept = 0;  // a block that is kept hides accesses after its release
#else
constexpr std::size_t kSmallKept = std::size_t{64} << 20;
#endif

// Released blocks below kLarge, a list for each size; a block holds the next one's address. A
// training step asks for the same few sizes again and again.
class SmallBlocks {
 public:
  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    Block*& first = lists_[index(size)];
    if (first == nullptr) return nullptr;
    kept_ -= size;
    return std::exchange(first, first->next);
  }
  bool keep(void* memory, std::size_t size) noexcept {
    const std::lock_guard lock(mutex_);
    if (kept_ + size > kSmallKept) return false;
    Block*& first = lists_[index(size)];
    first = new (memory) Block{first};
    kept_ += size;
    return true;
  }
  std::size_t trim() {
    const std::lock_guard lock(mutex_);
    for (Block*& first : lists_) {
      while (first != nullptr) std::free(std::exchange(first, first->next));
    }
    return std::exchange(kept_, 0);
  }

 private:
  struct Block {
    Block* next;
  };
  // Eight sizes to a power of two.
  static std::size_t index(std::size_t size) {
    const std::size_t power = std::bit_floor(size);
    const std::size_t step = std::max(power / 8, kAlign);
    return 8 * static_cast<std::size_t>(std::bit_width(power)) + (size - power) / step;
  }
  std::mutex mutex_;
  std::array<Block*, 8 * 22> lists_{};
  std::size_t kept_ = 0;
};
SmallBlocks& small_blocks() {
  static SmallBlocks* instance = new SmallBlocks;  // outlives static tensors
  return *instance;
}

struct Cache {
  std::mutex mutex;
  std::multimap<std::size_t, void*> blocks;
  std::size_t bytes = 0;
};
Cache& cache() {
  static Cache* instance = new Cache;  // outlives static tensors
  return *instance;
}

void* take_cached(std::size_t size) {
  Cache& c = cache();
  const std::lock_guard lock(c.mutex);
  const auto found = c.blocks.find(size);
  if (found == c.blocks.end()) return nullptr;
  void* memory = found->second;
  c.blocks.erase(found);
  c.bytes -= size;
  return memory;
}

void* map_pages(std::size_t size) {
  if (size < kHugePage) return std::aligned_alloc(kAlign, size);
  void* memory = std::aligned_alloc(kHugePage, (size + kHugePage - 1) / kHugePage * kHugePage);
  if (memory != nullptr) madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

[[noreturn]] void refuse(std::size_t bytes) {
  fail(Errc::out_of_memory, "allocate",
       text("bytes: got ", bytes, ", expected at most what the CPU has (", machine_memory(), ")"));
}

}  // namespace

std::size_t machine_memory() {
  static const auto total = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                            static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return total;
}

void* allocate(std::size_t bytes) {
  if (bytes > machine_memory()) refuse(bytes);
  if (bytes < kLarge) {
    const std::size_t size = size_class(bytes);
    void* memory = small_blocks().take(size);
    if (memory == nullptr) memory = std::aligned_alloc(kAlign, size);
    if (memory == nullptr) refuse(bytes);
    return memory;
  }
  const std::size_t size = size_class(bytes);
  void* memory = take_cached(size);
  if (memory == nullptr) memory = map_pages(size);
  if (memory == nullptr && trim() > 0) memory = map_pages(size);
  if (memory == nullptr) refuse(bytes);
  return memory;
}

void release(void* memory, std::size_t bytes) noexcept {
  if (bytes >= kLarge) {
    const std::size_t size = size_class(bytes);
    Cache& c = cache();
    const std::lock_guard lock(c.mutex);
    if (c.bytes + size <= machine_memory() / 4) {
      try {
        c.blocks.emplace(size, memory);
        c.bytes += size;
        return;
      } catch (const std::bad_alloc&) {
        // No memory for the note of it: the block goes back to the system.
      }
    }
  } else if (small_blocks().keep(memory, size_class(bytes))) {
    return;
  }
  std::free(memory);
}

std::size_t trim() {
  Cache& c = cache();
  const std::lock_guard lock(c.mutex);
  const std::size_t freed = c.bytes + small_blocks().trim();
  for (const auto& [size, memory] : c.blocks) std::free(memory);
  c.blocks.clear();
  c.bytes = 0;
  return freed;
}

}  // namespace spiraltorch::cpu
