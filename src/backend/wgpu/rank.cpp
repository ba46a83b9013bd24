#include <algorithm>
#include <bit>

#include "backend/wgpu/rank_job.hpp"
#include "backend/wgpu/wgpu.hpp"
#include "backend/wgpu/wgsl.hpp"

// The executor of rank plans: issues what the plan lists.
namespace spiraltorch::wgpu {
namespace {

constexpr std::int64_t kDispatchElements = 1 << 27;
constexpr std::uint32_t kNone = 0xFFFFFFFFU;

using Reads = RankShaders::Reads;
const RankShaders kTile{"tile_sort", Reads::yes, {wgsl::rank_bitonic, wgsl::rank_tile}};
const RankShaders kNan{"nan_scan", Reads::yes, {wgsl::rank_nan}};

}  // namespace

RankShaders::RankShaders(std::string_view name, Reads reads,
                         std::initializer_list<std::string_view> parts) {
  for (const std::size_t fours : {0U, 1U}) {
    for (const std::size_t subgroups : {0U, 1U}) {
      Shader& s = shaders_[fours][subgroups];
      s.name = name;
      s.parts = {wgsl::rank_params, subgroups > 0 ? wgsl::rank_group_sub : wgsl::rank_group};
      if (reads == Reads::yes) {
        s.parts.push_back(fours > 0 ? wgsl::rank_load4 : wgsl::rank_load1);
      }
      s.parts.insert(s.parts.end(), parts);
    }
  }
}

std::vector<RowRange> row_ranges(const Device& device, std::int64_t rows, std::int64_t cols,
                                 std::int64_t row_bytes) {
  // A binding begins up to 255 bytes before its first row and ends up to 15 behind its last.
  const auto room = static_cast<std::int64_t>(device.limits().binding_bytes) - 512;
  const std::int64_t most =
      std::max<std::int64_t>(1, std::min(room / std::max<std::int64_t>(1, row_bytes),
                                         kDispatchElements / std::max<std::int64_t>(1, cols)));
  std::vector<RowRange> out;
  for (std::int64_t first = 0; first < rows; first += most) {
    out.push_back({first, std::min(most, rows - first)});
  }
  return out;
}

RankTask& RankTask::bind(Block& block, RankRegion region, std::uint32_t RankParams::*place,
                         std::int64_t item) {
  constexpr std::int64_t kAlign = 256;
  const std::int64_t begin = region.first + region.row_bytes * range_.first;
  const std::int64_t start = begin / kAlign * kAlign;
  const std::int64_t end = begin + std::max<std::int64_t>(16, region.row_bytes * range_.rows);
  // Whole fours are bound; the blocks that hold operands end at multiples of 256 bytes.
  task_.bind(block, static_cast<std::uint64_t>(start),
             static_cast<std::uint64_t>((end - start + 15) / 16 * 16));
  params_.*place = static_cast<std::uint32_t>((begin - start) / item);
  return *this;
}

void RankTask::run(std::int64_t per_row) {
  params_.count = static_cast<std::uint32_t>(range_.rows * per_row);
  run_groups(params_.count);
}

void RankTask::run_items(std::int64_t items, std::int64_t each) {
  params_.count = static_cast<std::uint32_t>(items);
  run_groups((items + each - 1) / each);
}

void RankTask::run_groups(std::int64_t groups) {
  for (const std::uint32_t word :
       std::bit_cast<std::array<std::uint32_t, sizeof(RankParams) / 4>>(params_)) {
    task_.u(word);
  }
  task_.run(static_cast<std::uint64_t>(groups));
}

namespace {

// The flat index of the first NaN, or -1: each range of rows tells its own.
std::int64_t scan_nan(const RankJob& job, const Launch& launch) {
  const RankProblem& q = job.plan.problem;
  const auto ranges = row_ranges(job.device, q.rows, q.cols, q.cols * 4);
  const std::vector<std::uint32_t> none(ranges.size(), kNone);
  const Scratch found(job.device, none.size() * 4);
  job.device.upload(found.block(), 0, none.data(), none.size() * 4);
  RankParams params = job.params;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    params.values = static_cast<std::uint32_t>(i);
    RankTask(job.device, kNan.pick(job.fours, false), {{"WG", launch.block}}, ranges[i], params)
        .bind(job.x, &RankParams::x)
        .bind_whole(found)
        .run(params.pieces);
  }
  const auto words = read_words(job.device, found, 0, none.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (words[i] != kNone) return ranges[i].first * q.cols + words[i];
  }
  return -1;
}

void issue_tile(const RankJob& job, const Launch& launch) {
  const RankProblem& q = job.plan.problem;
  for (const RowRange range : row_ranges(job.device, q.rows, q.cols, std::max(q.cols, q.k) * 4)) {
    RankTask(job.device, kTile.pick(job.fours, false),
             {{"WG", launch.block}, {"N", launch.shared_bytes / 8}, {"SORTED", job.sorted ? 1 : 0}},
             range, job.params)
        .bind(job.x, &RankParams::x)
        .bind(job.values, &RankParams::values)
        .bind(job.indices, &RankParams::indices)
        .run(1);
  }
}

RankParams params_of(const RankPlanFields& plan, NanPolicy nan) {
  const DispatchLayout layout = dispatch_layout(plan);
  const bool top = plan.problem.kind == RankKind::topk;
  RankParams p;
  p.cols = static_cast<std::uint32_t>(plan.problem.cols);
  p.k = static_cast<std::uint32_t>(plan.problem.k);
  p.pieces = static_cast<std::uint32_t>(layout.pieces);
  p.stride = static_cast<std::uint32_t>(layout.stride);
  p.cap = static_cast<std::uint32_t>(layout.capacity);
  p.flip = top ? kNone : 0;
  p.nan_key = top && nan == NanPolicy::largest ? 0 : kNone;
  p.all = nan == NanPolicy::largest ? 1 : 0;
  p.two = plan.problem.kind == RankKind::midk ? 1 : 0;
  return p;
}

void rank_select(const KernelArgs& args) {
  RankCall& call = *args.rank;
  const RankPlanFields& plan = **call.plan;
  Device& device = device_of(args);
  RankParams params = params_of(plan, call.nan);
  params.sorted = call.sorted ? 1 : 0;
  const RankJob job{device,
                    plan,
                    call.sorted,
                    reads_fours(plan.problem.rows, params.cols, params.stride),
                    plan.subgroup && device.limits().subgroups,
                    params,
                    args.in[0],
                    args.out[0],
                    args.out[1],
                    args.out.size() > 2 ? &args.out[2] : nullptr};
  for (Launch& launch : lower(*call.plan, call.sorted, call.nan)) {
    if (launch.kernel == "nan_scan") {
      call.first_nan = scan_nan(job, launch);
    } else if (plan.algorithm == RankAlgorithm::tile_sort) {
      issue_tile(job, launch);
    } else {
      issue_radix(job, launch);
    }
    call.trace.push_back(std::move(launch));
    if (call.first_nan >= 0) return;
  }
}

}  // namespace

void register_rank(KernelTable& table) { set_kernel(table, OpId::rank_select, rank_select); }

}  // namespace spiraltorch::wgpu
