#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kBlocks = 2048;  // workgroups enough to fill a device
constexpr std::int64_t kPiece = 4096;   // fewest elements of a row's piece
constexpr std::int64_t kAcross = 32;    // fewest columns of a workgroup

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t power_above(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
}

enum class Load : std::uint8_t { vector, scalar, parts };

// A reduction's text: its accumulator, where terms come from and where results go.
std::vector<std::string_view> accumulator(bool keys, bool last) {
  std::vector<std::string_view> parts{wgsl::bits, wgsl::reduce_params};
  if (keys) {
    parts.insert(parts.end(), {wgsl::order_key, wgsl::reduce_key});
  } else {
    parts.insert(parts.end(), {wgsl::sums, wgsl::reduce_sum});
  }
  const std::string_view put = keys ? wgsl::reduce_key_put : wgsl::reduce_sum_put;
  parts.push_back(last ? put : wgsl::reduce_parts_put);
  return parts;
}

Shader rows_shader(bool keys, Load load, bool last) {
  Shader out{"reduce_rows", accumulator(keys, last)};
  const std::array loads{wgsl::reduce_load_vector, wgsl::reduce_load_scalar,
                         wgsl::reduce_load_parts};
  out.parts.insert(out.parts.end(), {loads[static_cast<std::size_t>(load)], wgsl::reduce_rows});
  return out;
}

Shader columns_shader(bool keys, bool weighted, bool last) {
  Shader out{"reduce_columns", accumulator(keys, last)};
  const std::string_view weights = weighted ? wgsl::reduce_weights : wgsl::reduce_no_weights;
  out.parts.insert(out.parts.end(), {weights, wgsl::reduce_columns});
  return out;
}

struct Shaders {
  std::array<std::array<std::array<Shader, 2>, 3>, 2> rows;     // keys, load, last
  std::array<std::array<std::array<Shader, 2>, 2>, 2> columns;  // keys, weighted, last
  Shaders() {
    for (std::size_t keys = 0; keys < 2; ++keys) {
      for (std::size_t last = 0; last < 2; ++last) {
        for (std::size_t load = 0; load < 3; ++load) {
          rows[keys][load][last] = rows_shader(keys != 0, static_cast<Load>(load), last != 0);
        }
        for (std::size_t weighted = 0; weighted < 2; ++weighted) {
          columns[keys][weighted][last] = columns_shader(keys != 0, weighted != 0, last != 0);
        }
      }
    }
  }
};

const Shaders& shaders() {
  static const Shaders all;
  return all;
}

enum class Kind : std::uint8_t { sum, squares, weighted, max, min };
enum class Result : std::uint8_t { value, root, wide };

struct Reduction {
  Device& device;
  Kind kind;
  Result result = Result::value;
  const Scratch* weights = nullptr;
  std::int64_t exponent = 0;  // of a power of two that scales the result
  [[nodiscard]] bool keys() const { return kind == Kind::max || kind == Kind::min; }
  [[nodiscard]] std::uint64_t part_bytes() const { return keys() ? 4 : 24; }
  [[nodiscard]] Task task(const Shader& shader, std::string_view name, std::int64_t team) const {
    return {device,
            shader,
            {{"WG", kThreads},
             {name, team},
             {"KIND", static_cast<std::int64_t>(kind)},
             {"MINIMUM", kind == Kind::min ? 1 : 0},
             {"OUT", static_cast<std::int64_t>(result)}}};
  }
};

// The shape of one dispatch: groups of `count` terms in `splits` pieces of `piece`.
struct Plan {
  std::int64_t groups;
  std::int64_t count;
  std::int64_t splits;
  std::int64_t piece;
};

void run(const Reduction& r, Task& task, const Plan& plan, std::int64_t blocks,
         std::int64_t group_step, std::int64_t term_step) {
  task.u(plan.groups).u(plan.count).u(plan.splits).u(plan.piece).u(blocks);
  task.u(group_step).u(term_step).i(r.exponent).u(0).run(static_cast<std::uint64_t>(blocks));
}

void finish_parts(const Reduction& r, const Scratch& parts, const Plan& plan,
                  std::int64_t group_step, std::int64_t term_step, const KernelOperand& out) {
  const std::int64_t team = std::min(kThreads, power_above(ceil_div(plan.splits, 4)));
  const auto& shader = shaders().rows[r.keys() ? 1 : 0][static_cast<std::size_t>(Load::parts)][1];
  Task task = r.task(shader, "TEAM", team);
  task.bind(parts).bind(out);
  run(r, task, {plan.groups, plan.splits, 1, plan.splits}, ceil_div(plan.groups, kThreads / team),
      group_step, term_step);
}

void reduce_rows(const Reduction& r, const KernelOperand& x, std::int64_t groups,
                 const KernelOperand& out) {
  const std::int64_t count = x.size() / groups;
  const std::int64_t team = std::min(kThreads, power_above(ceil_div(count, 16)));
  Plan plan{groups, count, 1, count};
  if (team == kThreads) {
    const std::int64_t wanted = std::min(ceil_div(count, kPiece), ceil_div(kBlocks, groups));
    plan.piece = ceil_div(ceil_div(count, wanted), 4) * 4;
    plan.splits = ceil_div(count, plan.piece);
  }
  const bool last = plan.splits == 1;
  const Load load = count % 4 == 0 ? Load::vector : Load::scalar;
  const auto& shader =
      shaders().rows[r.keys() ? 1 : 0][static_cast<std::size_t>(load)][last ? 1 : 0];
  Task task = r.task(shader, "TEAM", team);
  task.bind(x);
  const std::int64_t blocks = ceil_div(groups * plan.splits, kThreads / team);
  if (last) {
    task.bind(out);
    return run(r, task, plan, blocks, 0, 0);
  }
  const Scratch parts(r.device, static_cast<std::uint64_t>(groups * plan.splits) * r.part_bytes());
  task.bind(parts);
  run(r, task, plan, blocks, 0, 0);
  finish_parts(r, parts, plan, plan.splits, 1, out);
}

// Columns of a workgroup: more where rows are few, or columns enough for every workgroup.
std::int64_t threads_across(const KernelOperand& x) {
  std::int64_t across = std::max(kAcross, kThreads / power_above(x.rows));
  while (across < kThreads && x.cols >= kBlocks * across) across *= 2;
  return std::min(across, power_above(x.cols));
}

void reduce_columns(const Reduction& r, const KernelOperand& x, const KernelOperand& out) {
  const std::int64_t across = threads_across(x);
  const std::int64_t tiles = ceil_div(x.cols, across);
  const std::int64_t down = kThreads / across;
  const std::int64_t wanted = std::min(ceil_div(x.rows, 8 * down), ceil_div(kBlocks, tiles));
  Plan plan{x.cols, x.rows, 1, ceil_div(x.rows, wanted)};
  plan.splits = ceil_div(x.rows, plan.piece);
  const bool last = plan.splits == 1;
  const auto& shader =
      shaders().columns[r.keys() ? 1 : 0][r.weights != nullptr ? 1 : 0][last ? 1 : 0];
  Task task = r.task(shader, "TX", across);
  const Scratch parts(r.device,
                      last ? 4 : static_cast<std::uint64_t>(x.cols * plan.splits) * r.part_bytes());
  task.bind(x);
  last ? task.bind(out) : task.bind(parts);
  if (r.weights != nullptr) task.bind(*r.weights);
  run(r, task, plan, tiles * plan.splits, 0, 0);
  if (!last) finish_parts(r, parts, plan, 1, x.cols, out);
}

template <Kind kind, Result result>
void reduce(const KernelArgs& args) {
  const Reduction r{device_of(args), kind, result};
  const KernelOperand& x = args.in[0];
  const std::int64_t axis = args.ints.empty() ? -1 : args.ints[0];
  if (axis == 0) return reduce_columns(r, x, args.out[0]);
  reduce_rows(r, x, axis == 1 ? x.rows : 1, args.out[0]);
}

// Weights go to the device divided by a power of two above them all.
void weighted_sum(const KernelArgs& args) {
  double largest = 0.0;
  for (const double w : args.scalars) {
    if (std::isfinite(w)) largest = std::max(largest, std::abs(w));
  }
  const int exponent = largest > 0.0 ? std::ilogb(largest) + 1 : 0;
  std::vector<float> weights(args.scalars.size());
  std::transform(args.scalars.begin(), args.scalars.end(), weights.begin(),
                 [&](double w) { return static_cast<float>(std::scalbn(w, -exponent)); });
  Device& device = device_of(args);
  const Scratch scratch(device, weights.size() * sizeof(float));
  device.upload(scratch.block(), 0, weights.data(), scratch.bytes());
  reduce_columns({device, Kind::weighted, Result::value, &scratch, exponent}, args.in[0],
                 args.out[0]);
}

}  // namespace

void register_reduce(KernelTable& table) {
  set_kernel(table, OpId::sum, reduce<Kind::sum, Result::value>);
  set_kernel(table, OpId::max, reduce<Kind::max, Result::value>);
  set_kernel(table, OpId::min, reduce<Kind::min, Result::value>);
  set_kernel(table, OpId::norm, reduce<Kind::squares, Result::root>);
  set_kernel(table, OpId::squared_norm, reduce<Kind::squares, Result::wide>);
  set_kernel(table, OpId::weighted_sum, weighted_sum);
}

}  // namespace spiraltorch::wgpu
