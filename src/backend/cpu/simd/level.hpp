#pragma once

#include <span>
#include <string_view>

// Which instruction set the kernels use. One binary carries a version of each kernel for every
// level; the best one the machine has is chosen once, or the one SPIRALTORCH_SIMD names
// (avx512, avx2, sse4, neon, baseline), which can only lower it.
namespace spiraltorch::cpu {

enum class SimdLevel : unsigned char { baseline, sse4, neon, avx2, avx512 };

[[nodiscard]] SimdLevel simd_level();
[[nodiscard]] std::string_view simd_level_name(SimdLevel level);
/// For tests: uses at most `level` from now on, on tables asked for after this call.
void set_simd_level(SimdLevel level);
/// Float32 lanes of one vector.
[[nodiscard]] int simd_lanes(SimdLevel level);

/// One compiled version of a set of kernels.
template <class Table>
struct SimdVersion {
  SimdLevel level;
  Table table;
};

/// The best version not above the chosen level; versions are never empty and hold a lowest one.
template <class Table>
[[nodiscard]] const Table& pick_version(std::span<const SimdVersion<Table>> versions) {
  const SimdVersion<Table>* best = &versions.front();
  for (const auto& version : versions) {
    const bool fits = version.level <= simd_level();
    const bool best_fits = best->level <= simd_level();
    if (fits && (!best_fits || version.level > best->level)) best = &version;
  }
  return best->table;
}

}  // namespace spiraltorch::cpu
