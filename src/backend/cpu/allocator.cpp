#include "backend/cpu/allocator.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::cpu {
namespace {

constexpr std::size_t kAlign = 64;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Large sizes are rounded up to an eighth of their power of two, so that a released block fits the
// next request of about its size and at most an eighth is wasted.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max(std::bit_floor(bytes) / 8, kLarge / 8);
  return (bytes + step - 1) / step * step;
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
    const std::size_t size = std::max(kAlign, (bytes + kAlign - 1) / kAlign * kAlign);
    void* memory = std::aligned_alloc(kAlign, size);
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
  }
  std::free(memory);
}

std::size_t trim() {
  Cache& c = cache();
  const std::lock_guard lock(c.mutex);
  const std::size_t freed = c.bytes;
  for (const auto& [size, memory] : c.blocks) std::free(memory);
  c.blocks.clear();
  c.bytes = 0;
  return freed;
}

}  // namespace spiraltorch::cpu
