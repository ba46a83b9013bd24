#include "backend/wgpu/sort_pairs.hpp"

#include <algorithm>

#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

const Shader kTile{"sort_pairs_tile", {wgsl::sort_pairs_params, wgsl::sort_pairs_tile}};
const Shader kStep{"sort_pairs_step", {wgsl::sort_pairs_params, wgsl::sort_pairs_step}};
constexpr std::uint64_t kThreads = 256;
constexpr std::uint64_t kTilePairs = 2048;

}  // namespace

void sort_pairs(Device& device, const Scratch& pairs, std::uint64_t block, std::uint64_t blocks) {
  const std::uint64_t count = block * blocks;
  const std::uint64_t tile = std::min(block, kTilePairs);
  const auto merge_tiles = [&](std::uint64_t first, std::uint64_t last) {
    Task task(device, kTile,
              {{"WG", static_cast<std::int64_t>(std::min(kThreads, tile / 2))},
               {"TILE", static_cast<std::int64_t>(tile)}});
    task.bind(pairs).u(count / tile).u(count).u(block - 1).u(first).u(last).u(0);
    task.run(count / tile);
  };
  merge_tiles(2, tile);
  for (std::uint64_t run = 2 * tile; run <= block; run *= 2) {
    for (std::uint64_t stride = run / 2; stride >= tile; stride /= 2) {
      const std::uint64_t groups = (count / 2 + kThreads - 1) / kThreads;
      Task task(device, kStep, {{"WG", kThreads}});
      task.bind(pairs).u(groups).u(count).u(block - 1).u(run).u(run).u(stride).run(groups);
    }
    merge_tiles(run, run);
  }
}

}  // namespace spiraltorch::wgpu
