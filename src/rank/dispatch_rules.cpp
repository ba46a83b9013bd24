#include <algorithm>
#include <limits>

#include "rank/rules.hpp"
#include "spiraltorch/rank/dispatch_layout.hpp"

// The launches and the workspace of WebGPU's radix selection (spec 3, 4.4 and 4.5).
namespace spiraltorch {
namespace {

constexpr std::int64_t kHistogram = 2048 * 4;  // bytes of one digit's counters
constexpr std::int64_t kState = 256;
constexpr std::int64_t kShort = 256;  // a whole row lists four times so many at least
constexpr std::int64_t kListed = 64;  // least candidates of a piece, where it has so many columns

// Regions one behind the other, each at a multiple of 256 bytes.
class Regions {
 public:
  explicit Regions(std::int64_t rows) : rows_(rows) {}
  RankRegion add(std::int64_t row_bytes) {
    const RankRegion out{end_, row_bytes};
    if (row_bytes > (kMost - end_ - 256) / rows_) {
      end_ = kMost - 256;
    } else {
      end_ = (end_ + row_bytes * rows_ + 255) / 256 * 256;
    }
    return out;
  }
  [[nodiscard]] std::int64_t total() const { return end_ >= kMost - 511 ? kMost : end_; }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t rows_;
  std::int64_t end_ = 0;
};

}  // namespace

DispatchLayout dispatch_layout(const RankPlanFields& plan) {
  const RankProblem& q = plan.problem;
  DispatchLayout l;
  l.stride = plan.choice.channel_stride > 0 ? plan.choice.channel_stride : q.cols;
  l.pieces = ranking::ceil_div(q.cols, l.stride);
  l.capacity = std::max(kListed, l.stride / 16);
  if (l.pieces == 1) l.capacity = std::max(l.capacity, 4 * std::min(plan.k_effective, kShort));
  l.capacity = std::min(l.capacity, l.stride);
  l.targets = q.kind == RankKind::midk ? 2 : 1;
  Regions regions(q.rows);
  const bool split = l.pieces > 1;  // else a row's walk stays in its workgroup
  l.counters = regions.add(split ? l.targets * kHistogram : 0);
  l.state = regions.add(split ? kState : 4);
  l.counts = regions.add(split ? l.pieces * 16 : 0);
  l.keys = regions.add(l.pieces * l.capacity * 4);
  l.columns = regions.add(l.pieces * l.capacity * 4);
  const bool merges = plan.sort_stage == SortStage::global;
  l.lists = regions.add(merges ? plan.k_effective * 8 : 0);
  l.merged = regions.add(merges ? plan.k_effective * 8 : 0);
  l.total_bytes = regions.total();
  return l;
}

namespace ranking {

std::int64_t dispatch_prefix_bytes(std::int64_t block) {
  return block * 8 + ceil_div(block, 16) * 8;
}

std::int64_t dispatch_blocks(const RankProblem& q, std::int64_t pieces, std::int64_t block) {
  const std::int64_t k = std::min(q.k, q.cols);
  return q.rows *
         std::max({pieces, ceil_div(k, kRankSortTile), ceil_div(k, block * kRankMergeItems)});
}

namespace {

void add_sort(const RankPlanFields& p, std::vector<Launch>& out) {
  const auto launch = [&](std::string kernel, std::int64_t per_row, std::int64_t shared,
                          std::int64_t pairs) {
    const std::int64_t block = std::min(p.block, std::max<std::int64_t>(32, pairs));
    out.push_back(
        {std::move(kernel), spread(p.problem.rows * per_row, p.device.type), block, shared});
  };
  const std::int64_t k = p.k_effective;
  if (p.sort_stage == SortStage::local) {
    return launch("sort_local", 1, ceil_pow2(k) * 8, ceil_pow2(k) / 2);
  }
  launch("sort_tiles", ceil_div(k, kRankSortTile), kRankSortTile * 8, kRankSortTile / 2);
  int step = 0;
  for (std::int64_t run = kRankSortTile; run < k; run *= 2) {
    launch("sort_merge" + std::to_string(step++), ceil_div(k, p.block * kRankMergeItems), 0,
           p.block);
  }
}

}  // namespace

std::vector<Launch> lower_dispatch(const RankPlanFields& p, bool sorted) {
  const std::int64_t prefix = dispatch_prefix_bytes(p.block);
  std::vector<Launch> out;
  const auto rows = [&](std::string kernel, std::int64_t shared) {
    out.push_back({std::move(kernel), spread(p.problem.rows, p.device.type), p.block, shared});
  };
  const auto reads = [&](std::string kernel, std::int64_t shared) {
    out.push_back({std::move(kernel), p.grid, p.block, shared});
  };
  if (p.choice.channel_stride == 0) {
    reads("select_row", p.shared_bytes);
    if (sorted && p.sort_stage != SortStage::none) add_sort(p, out);
    return out;
  }
  rows("clear", 0);
  for (int digit = 0; digit < 3; ++digit) {
    reads("histogram" + std::to_string(digit), kHistogram + (digit == 1 ? prefix : 0));
    rows("choose" + std::to_string(digit), prefix);
  }
  reads("count", prefix);
  rows("scan", prefix);
  reads("emit", prefix);
  if (sorted && p.sort_stage != SortStage::none) add_sort(p, out);
  return out;
}

}  // namespace ranking
}  // namespace spiraltorch
