#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/simd/select.hpp"
#include "spiraltorch/rank/call.hpp"
#include "spiraltorch/rank/cpu_layout.hpp"
#include "spiraltorch/runtime/parallel.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

// What the parts of the CPU's rank executor share: one execution's job, its launches, its scratch.
namespace spiraltorch::cpu {

/// Subnormal numbers count as what they are while this lives, whatever the caller's mode.
class GradualUnderflow {
 public:
#if defined(__SSE__)
  GradualUnderflow() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ & ~0x8040U); }
  ~GradualUnderflow() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#else
  GradualUnderflow() {}
  ~GradualUnderflow() {}
#endif
 public:
  GradualUnderflow(const GradualUnderflow&) = delete;
  GradualUnderflow& operator=(const GradualUnderflow&) = delete;
};

/// Runs launches on the pool, each task once, and records them. A worker is a slot of scratch: no
/// two tasks use one at a time.
class Phases {
 public:
  explicit Phases(std::vector<Launch>& trace) : trace_(trace) {}

  /// body(task, slot) for each task; slots are below `threads`.
  template <class F>
  void run(const char* kernel, const char* suffix, std::int64_t tasks, std::int64_t threads,
           F&& body) {
    trace_.push_back({std::string(kernel) + suffix, {tasks, 1, 1}, threads, 0});
    std::atomic<std::int64_t> next{0};
    auto worker = [&](std::int64_t slot) {
      const GradualUnderflow mode;
      for (std::int64_t task = next.fetch_add(1, std::memory_order_relaxed); task < tasks;
           task = next.fetch_add(1, std::memory_order_relaxed)) {
        body(task, slot);
      }
    };
    if (threads <= 1) return worker(0);
    detail::run_tasks(threads, detail::TaskRef(worker));
  }

 private:
  std::vector<Launch>& trace_;
};

/// Everything the launches of one execution share.
struct RankJob {
  const RankPlanFields& plan;
  CpuRankLayout layout;
  const SelectTable& simd;
  KeyPolicy select;  // the largest of these keys are wanted (MidK: the central ones)
  KeyPolicy order;   // survivors are sorted by these keys, descending
  bool central;
  bool sorts;
  const float* x;
  float* values;
  std::int32_t* narrow;  // one of the two
  std::int64_t* wide;
  std::uint32_t* workspace;

  [[nodiscard]] std::int64_t rows() const { return plan.problem.rows; }
  [[nodiscard]] std::int64_t cols() const { return plan.problem.cols; }
  [[nodiscard]] std::int64_t k() const { return plan.problem.k; }
  [[nodiscard]] const float* row(std::int64_t r) const { return x + r * cols(); }
  [[nodiscard]] std::uint32_t* worker(std::int64_t slot) const {
    return workspace + slot * layout.worker_words;
  }
  [[nodiscard]] std::uint32_t* piece(std::int64_t r, std::int64_t p) const {
    return workspace + layout.threads * layout.worker_words +
           (r * layout.pieces + p) * layout.piece_words;
  }
  [[nodiscard]] std::uint32_t* row_state(std::int64_t r) const {
    return workspace + layout.threads * layout.worker_words +
           rows() * layout.pieces * layout.piece_words + r * layout.row_words;
  }
  [[nodiscard]] std::int64_t piece_begin(std::int64_t p) const { return p * layout.piece_cols; }
  [[nodiscard]] std::int64_t piece_size(std::int64_t p) const {
    return std::min(layout.piece_cols, cols() - piece_begin(p));
  }
};

/// Hands out parts of a worker's scratch, in the order in which cpu_layout.cpp adds them up.
class RankScratch {
 public:
  explicit RankScratch(std::uint32_t* at) : at_(at) {}
  std::uint32_t* take(std::int64_t words) {
    std::uint32_t* out = at_;
    at_ += words;
    return out;
  }

 private:
  std::uint32_t* at_;
};

/// Writes a row's answer from its survivors, ascending indices.
void finish_row(const RankJob& job, std::int64_t row, std::uint32_t* survivors, std::int64_t n,
                std::uint32_t* scratch);

/// body(row) for the rows of a task, where rows are whole.
template <class F>
void each_row(const RankJob& job, std::int64_t task, F&& body) {
  const std::int64_t begin = task * job.layout.rows_per_task;
  const std::int64_t end = std::min(job.rows(), begin + job.layout.rows_per_task);
  for (std::int64_t r = begin; r < end; ++r) body(r);
}

/// Serial work between launches, of the calling thread: rows are few where they are split.
template <class F>
void for_rows(const RankJob& job, F&& body) {
  for (std::int64_t r = 0; r < job.rows(); ++r) body(r);
}

/// Tasks of split rows as (row, piece, slot).
template <class F>
auto by_piece(const RankJob& job, F body) {
  return [&job, body](std::int64_t task, std::int64_t slot) {
    body(task / job.layout.pieces, task % job.layout.pieces, slot);
  };
}

/// Radix selection: whole rows, and rows split into pieces.
void radix_rows(const RankJob& job, std::int64_t task, std::int64_t slot);
void run_split_radix(const RankJob& job, Phases& phases, const char* sort);

}  // namespace spiraltorch::cpu
