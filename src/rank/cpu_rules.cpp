#include <algorithm>

#include "rank/rules.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/rank/cpu_layout.hpp"

namespace spiraltorch::ranking {
namespace {

constexpr std::int64_t kInlineElements = 16384;  // smaller problems run on the calling thread
constexpr std::int64_t kSplitColumns = 65536;    // shorter rows are never split
constexpr std::int64_t kVectors = 4;             // in flight

struct Merge {
  std::int64_t kind;
  std::int64_t detail;
};

Merge merge_of(RankAlgorithm algorithm, bool split) {
  switch (algorithm) {
    case RankAlgorithm::reservoir:
      return {1, split ? 2 : 1};
    case RankAlgorithm::quickselect:
      return {1, 1};
    case RankAlgorithm::radix:
      return {3, split ? 7 : 6};
    default:
      return {0, 0};
  }
}

// Columns of a piece where a row is split among threads, 0 where it is not.
std::int64_t split_columns(RankAlgorithm algorithm, const RankProblem& q, std::int64_t threads) {
  if (algorithm == RankAlgorithm::quickselect || q.rows >= threads) return 0;
  // A running best costs little more than the read: waking threads must pay.
  const std::int64_t least =
      algorithm == RankAlgorithm::argreduce ? 2 * kSplitColumns : kSplitColumns;
  if (q.cols < least) return 0;
  const std::int64_t pieces =
      std::min(ceil_div(threads, q.rows), std::max<std::int64_t>(1, q.cols / (kSplitColumns / 2)));
  if (pieces < 2) return 0;
  return ceil_div(ceil_div(q.cols, pieces), 64) * 64;
}

void check_override(std::string_view what, std::int64_t got, std::int64_t low, std::int64_t high) {
  if (got >= low && got <= high) return;
  fail(Errc::invalid_value, "replace", text(what, ": got ", got, ", expected ", low, " to ", high));
}

}  // namespace

void fill_cpu(RankPlanFields& p, const DeviceCaps& caps, const PlanOverrides& o) {
  const RankProblem& q = p.problem;
  RankChoice& c = p.choice;
  const bool small = q.rows < ceil_div(kInlineElements, q.cols);
  const std::int64_t workers = small ? 1 : caps.max_workgroup;
  if (o.workgroup) check_override("workgroup", *o.workgroup, 1, caps.max_workgroup);
  const std::int64_t threads = o.workgroup.value_or(workers);
  c.channel_stride = split_columns(p.algorithm, q, threads);
  if (o.channel_stride) {
    const bool may_split = p.algorithm != RankAlgorithm::quickselect;
    const std::int64_t least = *o.channel_stride > 0 ? ceil_div(q.cols, kRankMostPieces) : 0;
    check_override("channel_stride", *o.channel_stride, least, may_split ? q.cols - 1 : 0);
    c.channel_stride = *o.channel_stride;
  }
  const bool split = c.channel_stride > 0;
  c.workgroup = split ? std::min(threads, q.rows * ceil_div(q.cols, c.channel_stride))
                      : std::min(threads, q.rows);
  c.kl = kVectors;
  c.merge_kind = merge_of(p.algorithm, split).kind;
  c.merge_detail = merge_of(p.algorithm, split).detail;
  c.tile = kVectors * caps.lane_width;
  c.compaction_tile = p.algorithm == RankAlgorithm::argreduce ? 0 : caps.lane_width;
  p.sort_stage = p.k_effective > 1 ? SortStage::vector : SortStage::none;
  const CpuRankLayout l = cpu_rank_layout(p);
  p.grid = {l.read_tasks, 1, 1};
  p.block = c.workgroup;
  p.passes = p.algorithm == RankAlgorithm::radix ? 5 : 1;
  p.workspace_bytes = l.total_bytes(q.rows);
  c.use_2ce = lower_cpu(p, true).size() > 1;
}

std::vector<Launch> lower_cpu(const RankPlanFields& p, bool sorted) {
  if (p.algorithm == RankAlgorithm::none) return {};
  const CpuRankLayout l = cpu_rank_layout(p);
  const std::string name(to_text(p.algorithm));
  const std::string sort = sorted && p.sort_stage == SortStage::vector ? "_sort" : "";
  const auto reads = [&](const std::string& kernel) {
    return Launch{kernel, {l.read_tasks, 1, 1}, l.threads, 0};
  };
  const auto merges = [&](const std::string& kernel) {
    return Launch{kernel, {p.problem.rows, 1, 1}, l.merge_threads, 0};
  };
  if (l.pieces == 1) return {reads(name + sort)};
  if (p.algorithm != RankAlgorithm::radix) {
    return {reads(name + "_piece"), merges(name + "_merge" + sort)};
  }
  std::vector<Launch> out;
  if (l.sample > 0) out = {merges("radix_sample"), reads("radix_bracket")};
  for (const char* digit : {"0", "1", "2"})
    out.push_back(reads(std::string("radix_digit") + digit));
  out.push_back(reads("radix_compact"));
  out.push_back(merges("radix_merge" + sort));
  return out;
}

}  // namespace spiraltorch::ranking
