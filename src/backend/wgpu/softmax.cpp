#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "backend/wgpu/task.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;
constexpr std::int64_t kPiece = 16 * kThreads;  // columns of a long row's piece
constexpr std::uint64_t kStatsBytes = 12;
constexpr std::uint64_t kExchangeBytes = 24;  // workgroup memory of a thread

enum class Op : std::uint8_t { softmax, log_softmax, softmax_grad, log_softmax_grad };
enum class Step : std::uint8_t { rows, pieces, combine, apply };

Shader shader_of(Step step, bool grad, bool vector, bool subgroups) {
  Shader out{"softmax",
             {wgsl::bits, wgsl::math, wgsl::softmax_params, wgsl::sums, wgsl::order_key,
              subgroups ? wgsl::team_subgroup : wgsl::team_plain}};
  auto& parts = out.parts;
  if (step == Step::combine) {
    parts.push_back(wgsl::softmax_combine);
    return out;
  }
  const std::string_view g = vector ? wgsl::softmax_g_vector : wgsl::softmax_g_scalar;
  parts.push_back(vector ? wgsl::softmax_vector : wgsl::softmax_scalar);
  parts.push_back(grad ? g : wgsl::softmax_g_none);
  parts.push_back(wgsl::softmax_terms);
  parts.push_back(step == Step::rows     ? wgsl::softmax_rows
                  : step == Step::pieces ? wgsl::softmax_pieces
                                         : wgsl::softmax_apply);
  return out;
}

struct Shaders {
  std::array<Shader, 32> all;
  Shaders() {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = shader_of(static_cast<Step>(i / 8), (i & 4U) != 0, (i & 2U) != 0, (i & 1U) != 0);
    }
  }
};

const Shader& shader(Step step, bool grad, bool vector, bool subgroups) {
  static const Shaders shaders;
  return shaders.all[static_cast<std::size_t>(step) * 8 + (grad ? 4 : 0) + (vector ? 2 : 0) +
                     (subgroups ? 1 : 0)];
}

// How rows are spread over threads: 4 * per elements a thread, `team` threads a row.
// Many elements a thread keep teams, and so waits at barriers, small: 256 threads of 32 elements
// take an 8192-wide row 4 % faster than 512 of 16, 1024 of 8 take 30 % longer (H100).
struct Layout {
  std::int64_t per;
  std::int64_t team;
  std::int64_t threads;
};

Layout layout_of(std::int64_t cols) {
  const std::int64_t per = cols <= 128 ? 1 : (cols <= 512 ? 2 : cols <= 2048 ? 4 : 8);
  const auto needed = static_cast<std::uint64_t>((cols + 4 * per - 1) / (4 * per));
  const auto team = static_cast<std::int64_t>(std::bit_ceil(needed));
  return {per, team, std::max(team, kThreads)};
}

struct Call {
  Device& device;
  Op op;
  const KernelArgs& args;

  [[nodiscard]] bool grad() const { return op >= Op::softmax_grad; }
  [[nodiscard]] const KernelOperand& x() const { return args.in[0]; }
  [[nodiscard]] Task task(Step step, const Layout& layout) const {
    const Limits& limits = device.limits();
    const bool on = limits.subgroups && limits.subgroup_min > 1;
    const std::int64_t subgroup = on ? limits.subgroup_min : 1;
    return {device,
            shader(step, grad(), x().cols % 4 == 0, on),
            {{"OP", static_cast<std::int64_t>(op)},
             {"PER", layout.per},
             {"TEAM", layout.team},
             {"WG", layout.threads},
             {"SUBGROUP", subgroup}}};
  }
  void bind_inputs(Task& task) const {
    for (const KernelOperand& in : args.in) task.bind(in);
  }
  void run(Task& task, std::int64_t splits, std::int64_t blocks) const {
    task.u(x().rows).u(x().cols).u(splits).u(blocks).u(0);
    task.run(static_cast<std::uint64_t>(blocks));
  }
};

// Statistics of each piece, then of each row, then the results: elements are read twice.
void long_rows(const Call& call) {
  const KernelOperand& x = call.x();
  const Layout layout{4, kThreads, kThreads};
  const std::int64_t splits = (x.cols + kPiece - 1) / kPiece;
  const std::int64_t blocks = x.rows * splits;
  const Scratch pieces(call.device, static_cast<std::uint64_t>(blocks) * kStatsBytes);
  const Scratch whole(call.device, static_cast<std::uint64_t>(x.rows) * kStatsBytes);
  Task first = call.task(Step::pieces, layout);
  call.bind_inputs(first);
  first.bind(pieces);
  call.run(first, splits, blocks);
  Task second = call.task(Step::combine, layout);
  second.bind(pieces).bind(whole).u(x.rows).u(x.cols).u(splits).u(blocks).u(0);
  second.run(static_cast<std::uint64_t>(x.rows));
  Task third = call.task(Step::apply, layout);
  call.bind_inputs(third);
  third.bind(call.args.out[0]).bind(whole);
  call.run(third, splits, blocks);
}

template <Op op>
void softmax(const KernelArgs& args) {
  const Call call{device_of(args), op, args};
  const Layout layout = layout_of(args.in[0].cols);
  const Limits& limits = call.device.limits();
  if (layout.threads > limits.max_workgroup || layout.threads > 512 ||
      static_cast<std::uint64_t>(layout.threads) * kExchangeBytes > limits.shared_bytes) {
    return long_rows(call);
  }
  const std::int64_t teams = layout.threads / layout.team;
  Task task = call.task(Step::rows, layout);
  call.bind_inputs(task);
  task.bind(args.out[0]);
  call.run(task, 1, (args.in[0].rows + teams - 1) / teams);
}

}  // namespace

void register_softmax(KernelTable& table) {
  set_kernel(table, OpId::softmax, softmax<Op::softmax>);
  set_kernel(table, OpId::log_softmax, softmax<Op::log_softmax>);
  set_kernel(table, OpId::softmax_grad, softmax<Op::softmax_grad>);
  set_kernel(table, OpId::log_softmax_grad, softmax<Op::log_softmax_grad>);
}

}  // namespace spiraltorch::wgpu
