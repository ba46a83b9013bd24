#pragma once

#include "backend/wgpu/task.hpp"

namespace spiraltorch::wgpu {

/// Sorts pairs of u32 (key, value) by key, then value, within each of `blocks` runs of `block`
/// pairs, a power of two from 2.
void sort_pairs(Device& device, const Scratch& pairs, std::uint64_t block, std::uint64_t blocks);

}  // namespace spiraltorch::wgpu
