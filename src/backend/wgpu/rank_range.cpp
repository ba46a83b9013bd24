#include <algorithm>
#include <bit>

#include "backend/wgpu/rank_job.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// Elements of a range of values, and the gradient of a selection.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kThreads = 256;

using Reads = RankShaders::Reads;
const RankShaders kCount{"range_count", Reads::yes, {wgsl::rank_range_count}};
const RankShaders kEmit{"range_emit", Reads::yes, {wgsl::rank_range_emit}};
const RankShaders kZero{"zero", Reads::no, {wgsl::rank_zero}};
const RankShaders kScatter{"rank_grad", Reads::no, {wgsl::rank_scatter}};

// The ascending key of a bound, which is no NaN (spec 3, 2.1).
std::uint32_t key_of(double bound) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(bound));
  if ((bits & 0x7FFFFFFFU) == 0) return 0x80000000U;
  return (bits >> 31U) != 0 ? ~bits : bits ^ 0x80000000U;
}

std::uint32_t narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

// One range operation: its parameters, and its ranges of rows.
struct RangeJob {
  explicit RangeJob(const KernelArgs& args) : x(args.in[0]), device(device_of(args)) {
    const std::int64_t piece = std::min(args.ints[0], x.cols);
    pieces = (x.cols + piece - 1) / piece;
    params.cols = narrow(x.cols);
    params.pieces = narrow(pieces);
    params.stride = narrow(piece);
    params.low = key_of(args.scalars[0]);
    params.high = key_of(args.scalars[1]);
    fours = reads_fours(x.rows, x.cols, piece);
    ranges = row_ranges(device, x.rows, x.cols, x.cols * 4);
  }
  [[nodiscard]] RankTask task(const RankShaders& shaders, RowRange range, Constant more) const {
    return {device,
            shaders.pick(fours, device.limits().subgroups),
            {{"WG", kThreads}, more},
            range,
            params};
  }
  const KernelOperand& x;
  Device& device;
  RankParams params;
  std::int64_t pieces = 1;
  bool fours = false;
  std::vector<RowRange> ranges;
};

void range_count(const KernelArgs& args) {
  const RangeJob job(args);
  for (const RowRange range : job.ranges) {
    job.task(kCount, range, {"UNUSED", 0})
        .bind(job.x, &RankParams::x)
        .bind(args.out[0], {0, job.pieces * 8}, &RankParams::values)
        .run(job.pieces);
  }
}

void range_emit(const KernelArgs& args) {
  const RangeJob job(args);
  const bool wide = args.out[1].type == ElementType::i64;
  for (const RowRange range : job.ranges) {
    RankTask task = job.task(kEmit, range, {"WIDE", wide ? 1 : 0});
    task.bind(job.x, &RankParams::x).bind(args.in[1], {0, job.pieces * 8}, &RankParams::keys);
    task.bind_whole(args.out[0]).bind_whole(args.out[1]).run(job.pieces);
  }
}

void rank_grad(const KernelArgs& args) {
  const KernelOperand& g = args.in[0];
  const KernelOperand& index = args.in[1];
  const KernelOperand& out = args.out[0];
  Device& device = device_of(args);
  const bool wide = index.type == ElementType::i64;
  RankParams params;
  params.cols = narrow(out.cols);
  params.k = narrow(g.cols);
  for (const RowRange range : row_ranges(device, out.rows, out.cols, out.cols * 4)) {
    RankTask zero(device, kZero.pick(false, false), {{"WG", kThreads}}, range, params);
    zero.bind(out, &RankParams::values).run_items(range.rows * out.cols, kThreads * 4);
    if (g.cols == 0) continue;
    RankTask task(device, kScatter.pick(false, false), {{"WG", kThreads}, {"WIDE", wide ? 1 : 0}},
                  range, params);
    task.bind(g, &RankParams::x).bind(index, &RankParams::indices).bind(out, &RankParams::values);
    task.run_items(range.rows * g.cols, kThreads);
  }
}

}  // namespace

void register_rank_range(KernelTable& table) {
  set_kernel(table, OpId::rank_grad, rank_grad);
  set_kernel(table, OpId::range_count, range_count);
  set_kernel(table, OpId::range_emit, range_emit);
}

}  // namespace spiraltorch::wgpu
