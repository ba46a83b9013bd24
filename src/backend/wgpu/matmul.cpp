#include <algorithm>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

constexpr std::uint32_t kDotThreads = 128;

const Shader kLarge{
    "matmul", {wgsl::matmul_params, wgsl::matmul_load, wgsl::matmul_slices, wgsl::matmul_128}};
const Shader kLarge4{
    "matmul", {wgsl::matmul_params, wgsl::matmul_load4, wgsl::matmul_slices, wgsl::matmul_128}};
const Shader kSmall{"matmul",
                    {wgsl::matmul_params, wgsl::matmul_load, wgsl::matmul_slices, wgsl::matmul_64}};
const Shader kSmall4{
    "matmul", {wgsl::matmul_params, wgsl::matmul_load4, wgsl::matmul_slices, wgsl::matmul_64}};

const Shader kDot{"matmul", {wgsl::matmul_params, wgsl::total_plain, wgsl::matmul_dot}};
const Shader kDotSubgroup{"matmul", {wgsl::matmul_params, wgsl::total_subgroup, wgsl::matmul_dot}};

std::int64_t tiles(std::int64_t n, std::int64_t side) { return (n + side - 1) / side; }

Task& bind(Task& task, const KernelArgs& args, std::int64_t inner) {
  const KernelOperand& a = args.in[0];
  const KernelOperand& b = args.in[1];
  const KernelOperand& out = args.out[0];
  task.bind(a).bind(b).bind(out);
  return task.u(out.rows).u(out.cols).u(inner).u(a.rows).u(a.cols).u(b.rows).u(b.cols);
}

// Few rows or columns leave most of a tile empty; where both operands run along the inner length, a
// workgroup an element reads them at full width.
bool is_dot(const KernelArgs& args, std::int64_t inner) {
  const KernelOperand& out = args.out[0];
  const bool along_a = args.ints[0] == 0 || args.in[0].cols == 1;
  const bool along_b = args.ints[1] != 0 || args.in[1].cols == 1;
  return along_a && along_b && std::min(out.rows, out.cols) <= 8 && inner >= 64;
}

void dot(const KernelArgs& args, std::int64_t inner) {
  Device& device = device_of(args);
  const Limits& limits = device.limits();
  const bool on = limits.subgroups && limits.subgroup_min <= kDotThreads;
  Task task(device, on ? kDotSubgroup : kDot,
            {{"WG", kDotThreads},
             {"SUBGROUP", on ? limits.subgroup_min : 1},
             {"ACCUMULATE", args.ints[2]}});
  const auto count = static_cast<std::uint64_t>(args.out[0].size());
  bind(task, args, inner).u(0).u(count).run(count);
}

void matmul(const KernelArgs& args) {
  const KernelOperand& a = args.in[0];
  const KernelOperand& b = args.in[1];
  const KernelOperand& out = args.out[0];
  const bool trans_a = args.ints[0] != 0;
  const std::int64_t inner = trans_a ? a.rows : a.cols;
  if (is_dot(args, inner)) return dot(args, inner);
  const bool fours = a.cols % 4 == 0 && b.cols % 4 == 0 && out.cols % 4 == 0;
  // Large tiles pay once there are enough of them to keep a device busy.
  const bool large = tiles(out.rows, 128) * tiles(out.cols, 128) >= 128;
  const std::int64_t side = large ? 128 : 64;
  const Shader& shader = large ? (fours ? kLarge4 : kLarge) : (fours ? kSmall4 : kSmall);
  const std::int64_t across = tiles(out.cols, side);
  const std::int64_t count = across * tiles(out.rows, side);
  Task task(device_of(args), shader,
            {{"TILE", side},
             {"TRANS_A", args.ints[0]},
             {"TRANS_B", args.ints[1]},
             {"ACCUMULATE", args.ints[2]}});
  bind(task, args, inner).u(across).u(count).run(static_cast<std::uint64_t>(count));
}

}  // namespace

void register_matmul(KernelTable& table) { set_kernel(table, OpId::matmul, matmul); }

}  // namespace spiraltorch::wgpu
