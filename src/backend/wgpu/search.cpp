#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Kernels that look for elements: extremum_grad, all_close, first_non_finite.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kEach = 4;       // elements of a thread
constexpr std::int64_t kBlocks = 4096;  // at most, of kernels whose threads go on in steps

const Shader kFill{"fill", {wgsl::fill}};
const Shader kFind{"extremum_find", {wgsl::extremum_params, wgsl::extremum_find}};
const Shader kPut{"extremum_put", {wgsl::extremum_params, wgsl::extremum_put}};
const Shader kAllClose{"all_close", {wgsl::bits, wgsl::sums, wgsl::all_close}};
const Shader kFirstNonFinite{"first_non_finite", {wgsl::first_non_finite}};

template <class Memory>
void set_words(Device& device, const Memory& to, std::int64_t count, std::uint32_t value) {
  Task task(device, kFill);
  task.bind(to).u(count).u(value).run((static_cast<std::uint64_t>(count) + 1023) / 1024);
}

// The first element of each group that equals its extremum, then the result.
void extremum_grad(const KernelArgs& args) {
  Device& device = device_of(args);
  const KernelOperand& x = args.in[0];
  const std::int64_t groups = args.in[1].size();
  const Scratch first(device, static_cast<std::uint64_t>(groups) * 4);
  set_words(device, first, groups, 0xFFFFFFFFU);
  const std::int64_t axis = args.ints[0] < 0 ? 2 : args.ints[0];
  const std::int64_t blocks = (x.size() + kThreads * kEach - 1) / (kThreads * kEach);
  const auto launch_on = [&](const Shader& shader, const auto& a, const auto& b, const auto& c) {
    Task task(device, shader, {{"AXIS", axis}, {"WG", kThreads}, {"EACH", kEach}});
    task.bind(a).bind(b).bind(c).u(x.size()).u(x.cols).u(blocks);
    task.run(static_cast<std::uint64_t>(blocks));
  };
  launch_on(kFind, x, args.in[1], first);
  launch_on(kPut, args.in[2], first, args.out[0]);
}

// Workgroups over elements in fours.
std::int64_t blocks_of(std::int64_t count) {
  return std::min(kBlocks, (count + 4 * kThreads - 1) / (4 * kThreads));
}

// Whole fours; memory has room for them.
void bind_fours(Task& task, const KernelOperand& x) {
  task.bind_range(x, 0, (static_cast<std::uint64_t>(x.size()) * 4 + 15) / 16 * 16);
}

void put_pair(Task& task, double v) {
  const auto high = static_cast<float>(v);
  task.f(static_cast<double>(high)).f(v - static_cast<double>(high));
}

// The leading 12 bits, so that products with a half of a float are exact.
float leading_half(double v) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(v)) & 0xFFFFF000U);
}

void all_close(const KernelArgs& args) {
  constexpr double kWide = 0x1p66;  // above any scaled difference
  Device& device = device_of(args);
  const std::int64_t count = args.in[0].size();
  const std::int64_t blocks = blocks_of(count);
  const bool unordered = std::isnan(args.scalars[0]) || std::isnan(args.scalars[1]);
  const bool unlimited = std::isinf(args.scalars[0]);
  const double rtol = std::clamp(args.scalars[0], -0x1p62, 0x1p62);
  const auto first = static_cast<double>(leading_half(rtol));
  const auto second = static_cast<double>(leading_half(rtol - first));
  set_words(device, args.out[0], 1, 1);
  Task task(device, kAllClose, {{"WG", kThreads}});
  bind_fours(task, args.in[0]);
  bind_fours(task, args.in[1]);
  task.bind(args.out[0]).u(count).u(blocks).u(blocks * kThreads).u(0);
  task.u(args.ints[0] != 0 ? 1 : 0).u(unordered ? 1 : (unlimited ? 2 : 0));
  task.f(first).f(second).f(rtol - first - second);
  for (const double scale : {0x1p-64, 1.0, 0x1p64}) {
    put_pair(task, std::clamp(args.scalars[1] * scale, -kWide, kWide));
  }
  task.run(static_cast<std::uint64_t>(blocks));
}

void first_non_finite(const KernelArgs& args) {
  Device& device = device_of(args);
  const std::int64_t count = args.in[0].size();
  const std::int64_t blocks = blocks_of(count);
  set_words(device, args.out[0], 2, 0xFFFFFFFFU);
  Task task(device, kFirstNonFinite, {{"WG", kThreads}});
  bind_fours(task, args.in[0]);
  task.bind(args.out[0]).u(count).u(args.ints[0] != 0 ? 0x7F800000U : 0x7F7FFFFFU);
  task.u(blocks).u(blocks * kThreads).run(static_cast<std::uint64_t>(blocks));
}

}  // namespace

void register_search(KernelTable& table) {
  set_kernel(table, OpId::extremum_grad, extremum_grad);
  set_kernel(table, OpId::all_close, all_close);
  set_kernel(table, OpId::first_non_finite, first_non_finite);
}

}  // namespace spiraltorch::wgpu
