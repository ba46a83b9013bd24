#include <algorithm>
#include <limits>

#include "rank/rules.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/dispatch_layout.hpp"

// CUDA, HIP and WebGPU (spec 3, 4.3 to 4.5). The constants are a start, until they are measured on
// devices.
namespace spiraltorch::ranking {
namespace {

constexpr std::int64_t kComposite = 8;               // bytes of key and index
constexpr std::int64_t kHistogram = 2048 * 4;        // bytes of one digit's counters
constexpr std::int64_t kControl = 256;               // bytes of a row's walk state
constexpr std::int64_t kLocalSort = 4096;            // most survivors sorted by one workgroup
constexpr std::int64_t kPieceColumns = 8192;         // least columns of a piece of a split row
constexpr std::int64_t kDispatchElements = 1 << 27;  // most elements of one WebGPU dispatch
constexpr std::int64_t kChosen = 16;                 // bytes of a walk in one workgroup
constexpr std::int64_t kManyRows = 512;              // WebGPU: a workgroup each fills a device
constexpr std::int64_t kRowSweeps = 16;              // WebGPU: of a row that is not split
constexpr std::int64_t kManyBlocks = 2048;           // workgroups that fill any device
constexpr std::int64_t kPerThread = 16;              // elements a thread reads per sweep
constexpr std::int64_t kMostX = 2147483647;          // workgroups along x; WebGPU: kMostYZ
constexpr std::int64_t kMostYZ = 65535;              // along y and z
constexpr std::int64_t kMostQueue = 1048576;         // entries of a filter's list

// The wanted number of threads, or what the device has, as whole warps.
std::int64_t threads_of(std::int64_t wanted, const DeviceCaps& caps) {
  const std::int64_t most = std::min(wanted, caps.max_workgroup);
  return std::max(caps.lane_width, most / caps.lane_width * caps.lane_width);
}

std::int64_t block_wanted(RankAlgorithm algorithm, const RankProblem& q, const DeviceCaps& caps) {
  switch (algorithm) {
    case RankAlgorithm::warp_queue:
      return 128;
    case RankAlgorithm::block_radix:
      return q.cols <= 2048 ? 256 : 1024;
    case RankAlgorithm::tile_sort:  // a thread compares pairs
      return std::min<std::int64_t>(256, ceil_pow2(q.cols) / 2);
    case RankAlgorithm::dispatch_radix: {  // few rows: more threads each
      std::int64_t block = 256;
      while (q.rows < kManyRows && block < 1024 && block * kPerThread < q.cols &&
             kHistogram + dispatch_prefix_bytes(2 * block) + kChosen <= caps.shared_bytes) {
        block *= 2;
      }
      return block;
    }
    default:
      return 512;
  }
}

std::int64_t queue_entries(const RankProblem& q, const DeviceCaps& caps) {
  return std::max(caps.lane_width, ceil_pow2(std::min(q.k, q.cols)));
}

std::int64_t local_sort_limit(std::int64_t shared) {
  return shared < kComposite ? 0 : std::min(kLocalSort, floor_pow2(shared / kComposite));
}

std::int64_t tile_limit(const DeviceCaps& caps) {
  return caps.shared_bytes < kComposite
             ? 0
             : std::min<std::int64_t>(2048, floor_pow2(caps.shared_bytes / kComposite));
}

std::int64_t shared_of(RankAlgorithm algorithm, const RankProblem& q, const DeviceCaps& caps,
                       std::int64_t block) {
  const std::int64_t k = std::min(q.k, q.cols);
  switch (algorithm) {
    case RankAlgorithm::warp_queue:
      return block * kComposite;
    case RankAlgorithm::block_queue:
      return ceil_pow2(std::max<std::int64_t>(4 * k, 4096)) * kComposite + kControl;
    case RankAlgorithm::tile_sort:
      return ceil_pow2(q.cols) * kComposite;
    case RankAlgorithm::block_radix: {
      const std::int64_t row = kHistogram + kControl + 4 * q.cols;
      return row <= caps.shared_bytes ? row : kHistogram + kControl;
    }
    case RankAlgorithm::dispatch_radix:
      return kHistogram + dispatch_prefix_bytes(block) + kChosen;
    default:
      return kHistogram + kControl;
  }
}

bool is_radix(RankAlgorithm a) {
  return a == RankAlgorithm::block_radix || a == RankAlgorithm::grid_radix ||
         a == RankAlgorithm::dispatch_radix;
}

std::int64_t split_of(const RankPlanFields& p, const DeviceCaps& caps) {
  const RankProblem& q = p.problem;
  std::int64_t pieces = 1;
  if (p.algorithm == RankAlgorithm::block_queue && 2 * q.rows < caps.compute_units) {
    pieces = std::min(ceil_div(2 * caps.compute_units, q.rows), q.cols / kPieceColumns);
  } else if (p.algorithm == RankAlgorithm::grid_radix) {
    pieces = std::min(ceil_div(4 * caps.compute_units, q.rows),
                      ceil_div(q.cols, p.choice.workgroup * kPerThread));
  } else if (p.algorithm == RankAlgorithm::dispatch_radix) {
    // Whole rows where there are many, or where a row takes few sweeps. Else one to four sweeps a
    // piece, as long as the pieces fill a large device.
    std::int64_t sweep = p.choice.workgroup * kPerThread;
    if (q.rows >= kManyRows || q.cols <= kRowSweeps * sweep) return 0;
    for (int i = 0; i < 2 && q.rows >= ceil_div(kManyBlocks, ceil_div(q.cols, 2 * sweep)); ++i) {
      sweep *= 2;
    }
    pieces = ceil_div(q.cols, sweep);
  }
  if (pieces < 2) return 0;
  const std::int64_t columns = ceil_div(ceil_div(q.cols, pieces), 32) * 32;
  return columns < q.cols ? columns : 0;
}

// What overrides can ask for beyond the device's limits.
void check_limits(const RankPlanFields& p, const DeviceCaps& caps, std::int64_t pieces,
                  bool own_stride) {
  if (p.algorithm == RankAlgorithm::dispatch_radix) {
    pieces = dispatch_blocks(p.problem, pieces, p.choice.workgroup) / p.problem.rows;
  }
  if (const std::int64_t most = most_blocks(p.device.type) / p.problem.rows; pieces > most) {
    fail(Errc::invalid_value, "replace",
         text(own_stride ? "channel_stride" : "workgroup", ": got ", pieces,
              " pieces a row, expected at most ", most));
  }
  const std::int64_t shared = shared_of(p.algorithm, p.problem, caps, p.choice.workgroup);
  if (shared > caps.shared_bytes) {
    fail(Errc::invalid_value, "replace",
         text("workgroup: got ", p.choice.workgroup, " threads, which need ", shared,
              " shared bytes, expected at most ", caps.shared_bytes));
  }
}

}  // namespace

std::array<std::int64_t, 3> spread(std::int64_t blocks, DeviceType type) {
  const std::int64_t most_x = type == DeviceType::wgpu ? kMostYZ : kMostX;
  if (blocks <= most_x) return {blocks, 1, 1};
  const std::int64_t y = ceil_div(blocks, most_x);
  if (y <= kMostYZ) return {ceil_div(blocks, y), y, 1};
  const std::int64_t z = ceil_div(y, kMostYZ);
  const std::int64_t yz = ceil_div(y, z);
  return {ceil_div(blocks, yz * z), yz, z};
}

void set_merge(RankPlanFields& p) {
  RankChoice& c = p.choice;
  const bool split = c.channel_stride > 0;
  switch (p.algorithm) {
    case RankAlgorithm::warp_queue:
      c.merge_kind = 2, c.merge_detail = 4;
      return;
    case RankAlgorithm::block_queue:
      c.merge_kind = 1, c.merge_detail = split ? 2 : 1;
      return;
    case RankAlgorithm::tile_sort:
      c.merge_kind = 0, c.merge_detail = 3;
      return;
    default:
      c.merge_kind = 3, c.merge_detail = p.algorithm == RankAlgorithm::block_radix ? 6 : 7;
  }
}

std::int64_t most_blocks(DeviceType type) {
  return (type == DeviceType::wgpu ? kMostYZ : kMostX) * kMostYZ * kMostYZ;
}

void fill_gpu(RankPlanFields& p, const DeviceCaps& caps, const PlanOverrides& o) {
  const RankProblem& q = p.problem;
  RankChoice& c = p.choice;
  c.workgroup = threads_of(o.workgroup.value_or(block_wanted(p.algorithm, q, caps)), caps);
  if (o.workgroup && c.workgroup != *o.workgroup) {
    fail(Errc::invalid_value, "replace",
         text("workgroup: got ", *o.workgroup, ", expected a multiple of ", caps.lane_width,
              " up to ", caps.max_workgroup));
  }
  p.subgroup = caps.subgroup;
  c.channel_stride = split_of(p, caps);
  if (o.channel_stride) {
    const bool may_split = p.algorithm == RankAlgorithm::block_queue ||
                           p.algorithm == RankAlgorithm::grid_radix ||
                           p.algorithm == RankAlgorithm::dispatch_radix;
    if (*o.channel_stride < 0 || *o.channel_stride >= q.cols ||
        (*o.channel_stride > 0 && !may_split)) {
      fail(Errc::invalid_value, "replace",
           text("channel_stride: got ", *o.channel_stride, ", expected ",
                may_split ? text("0 to ", q.cols - 1) : std::string("0")));
    }
    c.channel_stride = *o.channel_stride;
  }
  set_merge(p);
  const std::int64_t pieces = c.channel_stride > 0 ? ceil_div(q.cols, c.channel_stride) : 1;
  check_limits(p, caps, pieces, o.channel_stride.has_value());
  const std::int64_t warps = c.workgroup / caps.lane_width;
  const bool by_warp = p.algorithm == RankAlgorithm::warp_queue;
  c.kl = by_warp ? queue_entries(q, caps) / caps.lane_width : kPerThread;
  c.tile = by_warp ? caps.lane_width * 4
                   : (p.algorithm == RankAlgorithm::tile_sort ? ceil_pow2(q.cols)
                                                              : c.workgroup * kPerThread);
  c.compaction_tile = is_radix(p.algorithm) ? c.workgroup * 4 : 0;
  p.grid = spread(by_warp ? ceil_div(q.rows, warps) : q.rows * pieces, p.device.type);
  p.block = c.workgroup;
  p.shared_bytes = shared_of(p.algorithm, q, caps, c.workgroup);
  const bool fits = p.shared_bytes > kHistogram + kControl;
  p.passes = !is_radix(p.algorithm) || (p.algorithm == RankAlgorithm::block_radix && fits) ? 1 : 4;
  if (p.algorithm == RankAlgorithm::dispatch_radix) {
    p.passes = c.channel_stride == 0 && q.kind == RankKind::midk ? 7 : 5;
  }
  if (p.k_effective > 1) {
    p.sort_stage =
        p.k_effective <= local_sort_limit(caps.shared_bytes) ? SortStage::local : SortStage::global;
  }
  p.workspace_bytes = gpu_workspace(p);
  c.use_2ce = lower_gpu(p, true).size() > 1;
}

std::int64_t gpu_workspace(const RankPlanFields& p) {
  if (p.algorithm == RankAlgorithm::dispatch_radix) return dispatch_layout(p).total_bytes;
  const RankProblem& q = p.problem;
  const std::int64_t pieces =
      p.choice.channel_stride > 0 ? ceil_div(q.cols, p.choice.channel_stride) : 1;
  std::int64_t row = 0;
  if (p.algorithm == RankAlgorithm::block_queue && pieces > 1) {
    row += pieces * p.k_effective * kComposite;
  }
  if (p.algorithm == RankAlgorithm::grid_radix) {
    row += 3 * kHistogram + kControl + pieces * 16;
  }
  if (is_radix(p.algorithm) && p.sort_stage != SortStage::none) {
    row += 2 * p.k_effective * kComposite;
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return row > kMost / q.rows ? kMost : row * q.rows;
}

std::vector<Launch> lower_gpu(const RankPlanFields& p, bool sorted) {
  if (p.algorithm == RankAlgorithm::none) return {};
  if (p.algorithm == RankAlgorithm::dispatch_radix) return lower_dispatch(p, sorted);
  const std::string name(to_text(p.algorithm));
  const RankProblem& q = p.problem;
  const auto rows = [&](const std::string& kernel, std::int64_t shared) {
    return Launch{kernel, spread(q.rows, p.device.type), p.block, shared};
  };
  const auto reads = [&](const std::string& kernel) {
    return Launch{kernel, p.grid, p.block, p.shared_bytes};
  };
  if (!is_radix(p.algorithm)) {
    std::vector<Launch> out{reads(name)};
    if (p.choice.channel_stride > 0) out.push_back(rows("merge_lists", p.shared_bytes));
    return out;
  }
  std::vector<Launch> out;
  if (p.algorithm == RankAlgorithm::block_radix) {
    out.push_back(reads(name));
  } else {
    out = {rows("provisional_threshold", p.shared_bytes), reads("collect")};
    for (const char* digit : {"0", "1", "2"})
      out.push_back(reads(std::string("histogram") + digit));
    out.push_back(reads("compact"));
  }
  if (!sorted || p.sort_stage == SortStage::none) return out;
  if (p.sort_stage == SortStage::local) {
    out.push_back(rows("sort_local", ceil_pow2(p.k_effective) * kComposite));
    return out;
  }
  for (const char* digit : {"0", "1", "2", "3"}) {
    out.push_back(reads(std::string("sort_histogram") + digit));
    out.push_back(rows(std::string("sort_scan") + digit, kControl));
    out.push_back(reads(std::string("sort_scatter") + digit));
  }
  return out;
}

std::vector<Candidate> candidates(const RankProblem& q, const DeviceCaps& caps) {
  using A = RankAlgorithm;
  const bool mid = q.kind == RankKind::midk;
  const std::int64_t lanes = caps.lane_width;
  const std::int64_t units = std::max<std::int64_t>(1, caps.compute_units);
  switch (caps.device.type) {
    case DeviceType::cpu:
      return {{A::argreduce, q.k == 1 && !mid},
              {A::reservoir, !mid && q.k <= 4096 && 8 * q.k <= q.cols},
              {A::quickselect, q.cols <= 131072},
              {A::radix, true}};
    case DeviceType::wgpu:
      return {{A::tile_sort, q.cols <= tile_limit(caps)}, {A::dispatch_radix, true}};
    default:
      return {{A::warp_queue, !mid && q.k <= 4 * lanes && q.cols <= 8192 && q.rows >= 8 * units},
              {A::block_queue, !mid && q.k <= 1024 && q.cols >= 8192},
              {A::block_radix, 2 * q.rows >= units || q.cols <= 32768},
              {A::grid_radix, true}};
  }
}

std::optional<std::string> unserved(RankAlgorithm a, const RankProblem& q) {
  const bool mid = q.kind == RankKind::midk;
  switch (a) {
    case RankAlgorithm::argreduce:
      if (mid) return "kind midk needs two ranks";
      if (q.k != 1) return text("k ", q.k, " != 1");
      return {};
    case RankAlgorithm::reservoir:
    case RankAlgorithm::warp_queue:
    case RankAlgorithm::block_queue:
      if (mid) return "kind midk has no threshold to filter by";
      if (q.k > kMostQueue) return text("k ", q.k, " > ", kMostQueue);
      return {};
    case RankAlgorithm::quickselect:
      if (q.cols > 1048576) return text("cols ", q.cols, " > ", 1048576);
      return {};
    default:
      return {};
  }
}

std::optional<std::string> infeasible(RankAlgorithm a, const RankProblem& q,
                                      const DeviceCaps& caps) {
  if (auto reason = unserved(a, q)) return reason;
  if (caps.device.is_cpu()) return {};
  const auto too_much = [](std::string_view what, std::int64_t got, std::int64_t limit) {
    return text(what, " ", got, " > ", limit);
  };
  if (caps.max_workgroup < caps.lane_width) {
    return text("threads per workgroup ", caps.max_workgroup, " < lanes ", caps.lane_width);
  }
  const std::int64_t block = threads_of(block_wanted(a, q, caps), caps);
  const std::int64_t shared = shared_of(a, q, caps, block);
  if (a == RankAlgorithm::warp_queue && q.k > 32 * caps.lane_width) {
    return too_much("k", q.k, 32 * caps.lane_width);
  }
  if (a == RankAlgorithm::tile_sort && q.cols > tile_limit(caps)) {
    return too_much("cols", q.cols, tile_limit(caps));
  }
  if (a == RankAlgorithm::dispatch_radix) {
    if (q.cols > kDispatchElements) return too_much("cols", q.cols, kDispatchElements);
    const std::int64_t blocks = dispatch_blocks(q, ceil_div(q.cols, block * kPerThread), block);
    const std::int64_t most = most_blocks(caps.device.type);
    if (blocks > most) return too_much("workgroups", blocks, most);
  }
  if (shared > caps.shared_bytes) return too_much("shared bytes", shared, caps.shared_bytes);
  return {};
}

}  // namespace spiraltorch::ranking
