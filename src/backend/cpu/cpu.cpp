#include "backend/cpu/cpu.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "backend/cpu/allocator.hpp"
#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/runtime/parallel.hpp"

namespace spiraltorch {
namespace {

KernelTable make_table() {
  KernelTable table{};
  cpu::register_elementwise(table);
  cpu::register_reduce(table);
  cpu::register_softmax(table);
  cpu::register_data(table);
  cpu::register_gather(table);
  cpu::register_matmul(table);
  cpu::register_linear(table);
  cpu::register_loss(table);
  cpu::register_norm(table);
  cpu::register_ball(table);
  cpu::register_ball_grad(table);
  cpu::register_ball_grad_mean(table);
  cpu::register_ball_grad_sums(table);
  cpu::register_lorentz(table);
  cpu::register_affine(table);
  cpu::register_mlr(table);
  cpu::register_embed(table);
  cpu::register_embed_pools(table);
  cpu::register_optim(table);
  cpu::register_rank(table);
  cpu::register_rank_range(table);
  cpu::register_bands(table);
  return table;
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

std::int64_t cache_size(int name) { return std::max<std::int64_t>(0, sysconf(name)); }

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

DeviceCaps describe(int) {
  DeviceCaps caps;
  caps.available = caps.queried = true;
  caps.lane_width = cpu::simd_lanes(cpu::simd_level());
  caps.max_workgroup = thread_count();
  caps.compute_units = usable_cores();
  caps.memory_bytes = static_cast<std::int64_t>(cpu::machine_memory());
  caps.cache_bytes = cache_size(_SC_LEVEL3_CACHE_SIZE);
  caps.core_cache_bytes = cache_size(_SC_LEVEL2_CACHE_SIZE);
  static const std::string name = model_name();
  caps.name = name;
  caps.arch = cpu::simd_level_name(cpu::simd_level());
  return caps;
}

const char* bytes_at(const void* native, std::size_t offset) {
  return static_cast<const char*>(native) + offset;
}
char* bytes_at(void* native, std::size_t offset) { return static_cast<char*>(native) + offset; }

// The CPU's stream runs each kernel at its launch, so copies need not wait and nothing is pending.
constexpr Driver kDriver{
    .device_count = [] { return 1; },
    .unavailable_reason = [] { return std::string(); },
    .describe = describe,
    .allocate = [](int, std::size_t bytes) { return cpu::allocate(bytes); },
    .release = [](int, void* native, std::size_t bytes) noexcept { cpu::release(native, bytes); },
    .upload = [](int, void* native, std::size_t offset, const void* from,
                 std::size_t bytes) { std::memcpy(bytes_at(native, offset), from, bytes); },
    .download = [](int, const void* native, std::size_t offset, void* to,
                   std::size_t bytes) { std::memcpy(to, bytes_at(native, offset), bytes); },
    .copy =
        [](int, const void* from, std::size_t from_offset, void* to, std::size_t to_offset,
           std::size_t bytes) {
          std::memmove(bytes_at(to, to_offset), bytes_at(from, from_offset), bytes);
        },
    .synchronize = [](int) {},
};

}  // namespace

BackendInfo cpu_backend() {
  static const KernelTable table = make_table();
  return {DeviceType::cpu, "cpu", &table, &kDriver};
}

}  // namespace spiraltorch
