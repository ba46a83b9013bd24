#include "spiraltorch/rank/cpu_layout.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spiraltorch {
namespace {

constexpr std::int64_t kTaskElements = 16384;  // whole rows are grouped up to this many

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

// Sample size of radix: the list that a bracket collects is of the order n/√sample, the sample's
// own cost is of the order of its size.
std::int64_t sample_size(std::int64_t cols) {
  const auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(cols)));
  return std::clamp<std::int64_t>(round_up(16 * root, 16), 1024, 65536);
}

// Candidates of a bracket: the wanted k and the columns that the sample's error (four standard
// deviations a side, and a half more) can let in.
std::int64_t bracket_capacity(std::int64_t cols, std::int64_t k, std::int64_t sample) {
  const double share =
      (5.0 * std::sqrt(static_cast<double>(sample)) + 32.0) / static_cast<double>(sample);
  const auto slack = static_cast<std::int64_t>(share * static_cast<double>(cols)) + 64;
  return std::min(cols, k + k / 8 + slack);
}

void set_lists(CpuRankLayout& l, const RankPlanFields& p) {
  const std::int64_t k = p.k_effective;
  const std::int64_t survivors = rank_survivor_words(k);
  const std::int64_t sort = rank_sort_words(k);
  switch (p.algorithm) {
    case RankAlgorithm::reservoir:
      l.capacity = round_up(std::max<std::int64_t>({4 * k, 1024, l.pieces * k}), 64);
      l.worker_words = 3 * (l.capacity + kRankPad) + survivors + sort;
      l.piece_words = round_up(k, 16) + 16;
      return;
    case RankAlgorithm::quickselect:
      l.capacity = round_up(p.problem.cols, 16);
      l.worker_words = 2 * (l.capacity + kRankPad) + survivors + sort;
      return;
    case RankAlgorithm::radix: {
      l.sample = sample_size(p.problem.cols);
      l.capacity = bracket_capacity(p.problem.cols, k, l.sample);
      if (l.sample * 4 > p.problem.cols || l.capacity > p.problem.cols / 4) {
        l.sample = l.capacity = 0;
      }
      const std::int64_t lists = 2 * rank_list_words(l.capacity);
      const std::int64_t both = 2 * kHistogramWords;
      l.worker_words = 2 * l.sample + kRankPad + lists + both + survivors + sort;
      l.piece_words = lists + both / 4 + survivors + 16;
      l.row_words = 64;
      return;
    }
    case RankAlgorithm::argreduce:
      l.piece_words = 16;
      return;
    default:
      return;
  }
}

}  // namespace

std::int64_t CpuRankLayout::total_bytes(std::int64_t rows) const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t workers = threads * worker_words;
  const std::int64_t row = pieces > 1 ? pieces * piece_words + row_words : 0;
  if (rows > 0 && row > (kMost / 4 - workers) / rows) return kMost;
  return 4 * (workers + rows * row);
}

CpuRankLayout cpu_rank_layout(const RankPlanFields& p) {
  CpuRankLayout l;
  const RankProblem& q = p.problem;
  if (p.algorithm == RankAlgorithm::none) return l;
  l.threads = p.choice.workgroup;
  l.piece_cols = p.choice.channel_stride > 0 ? p.choice.channel_stride : q.cols;
  l.pieces = (q.cols + l.piece_cols - 1) / l.piece_cols;
  l.merge_threads = std::min(l.threads, q.rows);
  if (l.pieces > 1) {
    l.read_tasks = q.rows * l.pieces;
  } else {
    const std::int64_t balanced = (q.rows + 4 * l.threads - 1) / (4 * l.threads);
    l.rows_per_task = std::clamp<std::int64_t>(kTaskElements / q.cols, 1, balanced);
    if (l.threads == 1) l.rows_per_task = q.rows;
    l.read_tasks = (q.rows + l.rows_per_task - 1) / l.rows_per_task;
  }
  set_lists(l, p);
  return l;
}

}  // namespace spiraltorch
