#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <string>

#include "rank_caps.hpp"
#include "rank_data.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/rank/cpu_layout.hpp"
#include "spiraltorch/rank/plan.hpp"

// What holds for every plan, over random problems and capabilities.
using namespace spiraltorch;

namespace {

constexpr std::int64_t kMost = 4294967295;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : seed_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(rank_data::hash(seed_, next_++) %
                                     static_cast<std::uint64_t>(n));
  }
  // 0 to 2^32-1: any magnitude alike, with the neighbours of powers of two.
  std::int64_t size() {
    const std::int64_t base = std::int64_t{1} << below(33);
    const std::int64_t n = below(3) == 0 ? base + below(3) - 1 : base / 2 + below(base / 2 + 1);
    return std::clamp<std::int64_t>(n, 0, kMost);
  }
  RankProblem problem() {
    const auto kind = static_cast<RankKind>(below(3));
    const std::int64_t rows = size();
    const std::int64_t cols = size();
    const std::int64_t k = below(4) == 0 ? size() : std::min(size(), cols);
    return {kind, rows, cols, k};
  }
  DeviceCaps gpu() {
    const auto type = static_cast<DeviceType>(1 + below(3));
    DeviceCaps caps = rank_caps::gpu(type);
    if (below(4) == 0) return caps;
    caps.available = caps.queried = below(2) == 0;
    caps.lane_width = std::int64_t{1} << below(8);
    caps.max_workgroup = below(8) == 0 ? 1 + below(1024) : std::int64_t{1} << below(11);
    caps.shared_bytes = below(2) == 0 ? below(300000) : std::int64_t{1} << below(19);
    caps.compute_units = below(400);
    caps.subgroup = below(2) == 0;
    return caps;
  }
  DeviceCaps cpu() { return rank_caps::cpu(1 + below(1024), std::int64_t{1} << below(5)); }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

std::int64_t product(const std::array<std::int64_t, 3>& grid) {
  return grid[0] * grid[1] * grid[2];
}

bool grid_fits(const std::array<std::int64_t, 3>& grid, DeviceType type) {
  const std::int64_t most_x = type == DeviceType::wgpu ? 65535 : 2147483647;
  return grid[0] >= 1 && grid[1] >= 1 && grid[2] >= 1 && grid[0] <= most_x && grid[1] <= 65535 &&
         grid[2] <= 65535;
}

void check_any(const RankPlan& p, const RankProblem& q) {
  REQUIRE(p->problem == q);
  REQUIRE(p->k_effective == std::min(q.k, q.cols));
  const bool empty = q.rows == 0 || q.cols == 0 || q.k == 0;
  REQUIRE((p->algorithm == RankAlgorithm::none) == empty);
  REQUIRE(p->choice.use_2ce == (lower(p).size() > 1));
  REQUIRE(lower(p).empty() == empty);
  if (empty) {
    REQUIRE(p->choice == RankChoice{});
    return;
  }
  REQUIRE(p->choice.channel_stride >= 0);
  REQUIRE(p->choice.channel_stride < q.cols);
  REQUIRE(p->choice.kl >= 1);
  REQUIRE(p->choice.tile >= 1);
  REQUIRE(p->workspace_bytes >= 0);
  REQUIRE(p->passes >= 1);
  REQUIRE(p->block == p->choice.workgroup);
  REQUIRE(RankPlan(*p) == p);
  REQUIRE(plan_from_json(to_json(p)) == p);
  REQUIRE(explain(p).find(to_text(p->algorithm)) != std::string::npos);
}

void check_gpu(const RankPlan& p, const DeviceCaps& caps) {
  const RankProblem& q = p->problem;
  if (p->algorithm == RankAlgorithm::none) return;
  REQUIRE(p->choice.workgroup % caps.lane_width == 0);
  for (const Launch& l : lower(p, true, NanPolicy::raise)) {
    REQUIRE(l.block >= 1);
    REQUIRE(l.block <= caps.max_workgroup);
    REQUIRE(l.shared_bytes >= 0);
    REQUIRE(l.shared_bytes <= caps.shared_bytes);
    REQUIRE(grid_fits(l.grid, p->device.type));
    REQUIRE(product(l.grid) >= (q.rows - 1) / l.block + 1);
  }
  const std::int64_t stride = p->choice.channel_stride;
  const std::int64_t pieces = stride > 0 ? (q.cols + stride - 1) / stride : 1;
  std::int64_t blocks = q.rows * pieces;
  if (p->algorithm == RankAlgorithm::warp_queue) {
    const std::int64_t warps = p->choice.workgroup / caps.lane_width;
    blocks = (q.rows + warps - 1) / warps;
    REQUIRE(p->choice.kl * caps.lane_width >= p->k_effective);
  }
  // Every block, and spare ones only where the grid is not a line.
  REQUIRE(product(p->grid) >= blocks);
  REQUIRE(product(p->grid) - blocks < p->grid[1] * p->grid[2] * 2 + p->grid[0] * p->grid[2]);
  if (p->grid[1] == 1) REQUIRE(product(p->grid) == blocks);
}

void check_cpu(const RankPlan& p, const DeviceCaps& caps) {
  if (p->algorithm == RankAlgorithm::none) return;
  const RankProblem& q = p->problem;
  const CpuRankLayout l = cpu_rank_layout(*p);
  REQUIRE(p->choice.workgroup >= 1);
  REQUIRE(p->choice.workgroup <= caps.max_workgroup);
  REQUIRE(l.pieces * l.piece_cols >= q.cols);
  REQUIRE((l.pieces - 1) * l.piece_cols < q.cols);
  if (l.pieces == 1) {
    REQUIRE(l.read_tasks * l.rows_per_task >= q.rows);
    REQUIRE((l.read_tasks - 1) * l.rows_per_task < q.rows);
  } else {
    REQUIRE(l.read_tasks == q.rows * l.pieces);
  }
  const bool countable = p->workspace_bytes < std::numeric_limits<std::int64_t>::max();
  REQUIRE((p->workspace_bytes % 4 == 0 || !countable));
}

void note(const RankProblem& q, const DeviceCaps& caps, std::string& out) {
  out = std::string(to_text(q.kind)) + " " + std::to_string(q.rows) + "x" + std::to_string(q.cols) +
        " k " + std::to_string(q.k) + " " + to_text(caps.device) + " L " +
        std::to_string(caps.lane_width) + " M " + std::to_string(caps.max_workgroup) + " S " +
        std::to_string(caps.shared_bytes) + " U " + std::to_string(caps.compute_units);
}

// The plan, or nothing where no algorithm is feasible and the error says why.
std::optional<RankPlan> try_plan(const RankProblem& q, const DeviceCaps& caps) {
  try {
    return plan(q, caps);
  } catch (const Error& e) {
    REQUIRE(e.code() == Errc::device);
    REQUIRE(feasible_algorithms(q, caps).empty());
    const std::string what = e.what();
    CAPTURE(what);
    const bool wgpu = caps.device.type == DeviceType::wgpu;
    REQUIRE(what.find(wgpu ? "dispatch_radix: " : "grid_radix: ") != std::string::npos);
    REQUIRE(what.find(wgpu ? "tile_sort: " : "block_radix: ") != std::string::npos);
    return {};
  }
}

}  // namespace

TEST_CASE("invariants of accelerators' plans") {
  Draw draw(1);
  int planned = 0;
  for (int i = 0; i < 6000; ++i) {
    const RankProblem q = draw.problem();
    const DeviceCaps caps = draw.gpu();
    std::string at;
    note(q, caps, at);
    CAPTURE(at);
    const auto p = try_plan(q, caps);
    if (!p) continue;
    ++planned;
    check_any(*p, q);
    check_gpu(*p, caps);
    REQUIRE((*p)->simulated == !caps.available);
    for (const RankAlgorithm a : feasible_algorithms(q, caps)) {
      const RankPlan other = replace(*p, caps, {.algorithm = a});
      check_any(other, q);
      check_gpu(other, caps);
    }
  }
  CHECK(planned > 3000);
}

TEST_CASE("invariants of CPU plans") {
  Draw draw(2);
  for (int i = 0; i < 6000; ++i) {
    const RankProblem q = draw.problem();
    const DeviceCaps caps = draw.cpu();
    std::string at;
    note(q, caps, at);
    CAPTURE(at);
    const RankPlan p = plan(q, caps);
    check_any(p, q);
    check_cpu(p, caps);
    for (const RankAlgorithm a : feasible_algorithms(q, caps)) {
      const RankPlan other = replace(p, caps, {.algorithm = a});
      check_any(other, q);
      check_cpu(other, caps);
    }
  }
}

TEST_CASE("invariants of overridden plans, or a refusal that says why") {
  Draw draw(3);
  int made = 0;
  for (int i = 0; i < 6000; ++i) {
    const RankProblem q = draw.problem();
    const DeviceCaps caps = draw.below(3) == 0 ? draw.cpu() : draw.gpu();
    std::string at;
    note(q, caps, at);
    CAPTURE(at);
    const auto p = try_plan(q, caps);
    if (!p || (*p)->algorithm == RankAlgorithm::none) continue;
    const auto able = feasible_algorithms(q, caps);
    PlanOverrides o{.algorithm = able[static_cast<std::size_t>(draw.below(std::ssize(able)))]};
    if (draw.below(2) == 0) o.workgroup = std::int64_t{1} << draw.below(11);
    if (draw.below(2) == 0) o.channel_stride = draw.size();
    try {
      const RankPlan other = replace(*p, caps, o);
      ++made;
      check_any(other, q);
      caps.device.is_cpu() ? check_cpu(other, caps) : check_gpu(other, caps);
    } catch (const Error& e) {
      REQUIRE(e.code() == Errc::invalid_value);
      REQUIRE(std::string(e.what()).find("[replace] ") == 0);
    }
  }
  CHECK(made > 500);
}
