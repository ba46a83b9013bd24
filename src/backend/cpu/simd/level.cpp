#include "backend/cpu/simd/level.hpp"

#include <array>
#include <atomic>
#include <cstdlib>

namespace spiraltorch::cpu {
namespace {

constexpr std::array<std::string_view, 5> kNames{"baseline", "sse4", "neon", "avx2", "avx512"};

SimdLevel detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd");
  if (avx512) return SimdLevel::avx512;
  if (avx2) return SimdLevel::avx2;
  // The SSE4 versions are compiled with pclmul and aes, as Highway's target asks.
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return SimdLevel::sse4;
  return SimdLevel::baseline;
#elif defined(__aarch64__)
  return SimdLevel::neon;
#else
  return SimdLevel::baseline;
#endif
}

SimdLevel detect_capped() {
  const SimdLevel best = detect();
  const char* wanted = std::getenv("SPIRALTORCH_SIMD");
  if (wanted == nullptr) return best;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == wanted) return std::min(best, static_cast<SimdLevel>(i));
  }
  return best;
}

std::atomic<SimdLevel>& level_slot() {
  static std::atomic<SimdLevel> level{detect_capped()};
  return level;
}

}  // namespace

SimdLevel simd_level() { return level_slot().load(std::memory_order_relaxed); }

void set_simd_level(SimdLevel level) { level_slot().store(std::min(level, detect())); }

std::string_view simd_level_name(SimdLevel level) {
  return kNames[static_cast<std::size_t>(level)];
}

int simd_lanes(SimdLevel level) {
  switch (level) {
    case SimdLevel::avx512:
      return 16;
    case SimdLevel::avx2:
      return 8;
    case SimdLevel::baseline:
      return 1;
    default:
      return 4;
  }
}

}  // namespace spiraltorch::cpu
