#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "backend/wgpu/task.hpp"
#include "spiraltorch/rank/call.hpp"
#include "spiraltorch/rank/dispatch_layout.hpp"

// What the parts of the rank kernels share: parameters, shader variants, ranges of rows.
namespace spiraltorch::wgpu {

/// `Params` of wgsl/rank_params.wgsl, in order.
struct RankParams {
  std::uint32_t count = 0;
  std::uint32_t cols = 0;
  std::uint32_t k = 0;
  std::uint32_t pieces = 1;
  std::uint32_t stride = 0;
  std::uint32_t cap = 0;
  std::uint32_t x = 0;
  std::uint32_t bins = 0;
  std::uint32_t state = 0;
  std::uint32_t pieces_at = 0;
  std::uint32_t keys = 0;
  std::uint32_t columns = 0;
  std::uint32_t values = 0;
  std::uint32_t indices = 0;
  std::uint32_t flip = 0;
  std::uint32_t nan_key = 0xFFFFFFFFU;
  std::uint32_t all = 0;
  std::uint32_t mask = 0xFFFFFFFFU;
  std::uint32_t two = 0;
  std::uint32_t ranked = 0;
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  std::uint32_t run = 0;
  std::uint32_t lists = 0;
  std::uint32_t merged = 0;
  std::uint32_t above = 0;
  std::uint32_t beneath = 0;
  std::uint32_t tolerance = 0;
  std::uint32_t sorted = 0;
};

/// One kernel as shaders: with elements read four at a time or one, with subgroup operations or
/// without.
class RankShaders {
 public:
  enum class Reads : std::uint8_t { no, yes };
  RankShaders(std::string_view name, Reads reads, std::initializer_list<std::string_view> parts);
  [[nodiscard]] const Shader& pick(bool fours, bool subgroups) const {
    return shaders_[fours ? 1 : 0][subgroups ? 1 : 0];
  }

 private:
  std::array<std::array<Shader, 2>, 2> shaders_;
};

/// Rows that one dispatch handles.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t rows = 0;
};

/// All rows, in as few ranges as bindings (of `row_bytes` a row at most) and dispatches (of at most
/// 2²⁷ elements) allow.
[[nodiscard]] std::vector<RowRange> row_ranges(const Device& device, std::int64_t rows,
                                               std::int64_t cols, std::int64_t row_bytes);

/// One dispatch over a range of rows: binds parts of operands and notes where they begin.
class RankTask {
 public:
  RankTask(Device& device, const Shader& shader, std::initializer_list<Constant> constants,
           RowRange range, const RankParams& params)
      : task_(device, shader, constants), range_(range), params_(params) {}
  /// A region's part of the range; `place` gets its first item (of `item` bytes) in the binding.
  RankTask& bind(const KernelOperand& x, RankRegion region, std::uint32_t RankParams::*place,
                 std::int64_t item = 4) {
    return bind(block_of(x), region, place, item);
  }
  RankTask& bind(const Scratch& x, RankRegion region, std::uint32_t RankParams::*place) {
    return bind(x.block(), region, place, 4);
  }
  RankTask& bind(const KernelOperand& x, std::uint32_t RankParams::*place) {
    return bind(x, {0, x.cols * static_cast<std::int64_t>(size_of(x.type))}, place);
  }
  template <class Memory>
  RankTask& bind_whole(const Memory& x) {
    task_.bind(x);
    return *this;
  }
  /// `per_row` workgroups a row.
  void run(std::int64_t per_row);
  /// `items` in all, `each` of a workgroup; the kernel's count is that of the items.
  void run_items(std::int64_t items, std::int64_t each);

 private:
  RankTask& bind(Block& block, RankRegion region, std::uint32_t RankParams::*place,
                 std::int64_t item);
  void run_groups(std::int64_t groups);
  Task task_;
  RowRange range_;
  RankParams params_;
};

/// Whether four elements can be read at a time.
[[nodiscard]] inline bool reads_fours(std::int64_t rows, std::int64_t cols, std::int64_t stride) {
  return (rows == 1 || cols % 4 == 0) && (stride >= cols || stride % 4 == 0);
}

/// Everything the launches of one selection share.
struct RankJob {
  Device& device;
  const RankPlanFields& plan;
  bool sorted;
  bool fours;
  bool subgroups;
  RankParams params;
  const KernelOperand& x;
  const KernelOperand& values;
  const KernelOperand& indices;
  const KernelOperand* workspace;
};

/// Issues one launch of a `dispatch_radix` plan.
void issue_radix(const RankJob& job, const Launch& launch);

}  // namespace spiraltorch::wgpu
