#include <algorithm>
#include <cstring>
#include <limits>

#include "backend/cpu/cpu.hpp"
#include "backend/cpu/rank_job.hpp"

// Executes CPU rank plans: the launches of lower_cpu (src/rank/cpu_rules.cpp), one function each.
namespace spiraltorch::cpu {
namespace {

constexpr std::uint32_t kMissing = 0x7FC00000U;

KeyPolicy policy_of(bool flipped, NanPolicy nan) {
  if (nan == NanPolicy::largest) return flipped ? KeyPolicy::nan_flipped : KeyPolicy::nan_plain;
  return flipped ? KeyPolicy::flipped : KeyPolicy::plain;
}

struct WorkerParts {
  RankLists lists{};
  std::uint32_t* survivors = nullptr;
  std::uint32_t* sort = nullptr;
};

WorkerParts filter_parts(const RankJob& job, std::int64_t slot) {
  const std::int64_t room = job.layout.capacity + kRankPad;
  RankScratch s(job.worker(slot));
  WorkerParts w;
  w.lists.values = s.take(room);
  if (job.plan.algorithm == RankAlgorithm::reservoir) w.lists.index = s.take(room);
  w.lists.spare = s.take(room);
  w.lists.capacity = job.layout.capacity;
  w.survivors = s.take(rank_survivor_words(job.plan.k_effective));
  w.sort = s.take(rank_sort_words(job.plan.k_effective));
  return w;
}

void put_index(const RankJob& job, std::int64_t at, std::int64_t index) {
  if (job.narrow != nullptr) {
    job.narrow[at] = static_cast<std::int32_t>(index);
  } else {
    job.wide[at] = index;
  }
}

}  // namespace

void finish_row(const RankJob& job, std::int64_t r, std::uint32_t* survivors, std::int64_t n,
                std::uint32_t* scratch) {
  if (job.sorts) job.simd.sort(job.order, job.row(r), survivors, n, scratch);
  n = std::min(n, job.plan.k_effective);  // short lists come uncut
  const float* row = job.row(r);
  const std::int64_t at = r * job.k();
  for (std::int64_t j = 0; j < n; ++j) {
    std::memcpy(job.values + at + j, row + survivors[j], sizeof(float));  // the bits, NaN included
    put_index(job, at + j, survivors[j]);
  }
  for (std::int64_t j = n; j < job.k(); ++j) {
    std::memcpy(job.values + at + j, &kMissing, sizeof kMissing);
    put_index(job, at + j, -1);
  }
}

namespace {

// --- argreduce ----------------------------------------------------------------------------------

void put_best(const RankJob& job, std::int64_t r, std::int64_t best) {
  auto index = static_cast<std::uint32_t>(best);
  finish_row(job, r, &index, best < 0 ? 0 : 1, nullptr);
}

void argreduce_rows(const RankJob& job, std::int64_t task) {
  each_row(job, task, [&](std::int64_t r) {
    put_best(job, r, job.simd.argbest(job.select, job.row(r), job.cols()));
  });
}

void argreduce_piece(const RankJob& job, std::int64_t r, std::int64_t p) {
  const std::int64_t at =
      job.simd.argbest(job.select, job.row(r) + job.piece_begin(p), job.piece_size(p));
  const std::int64_t index = at < 0 ? -1 : at + job.piece_begin(p);
  std::memcpy(job.piece(r, p), &index, sizeof index);
}

// The first piece with the largest key holds the lowest index.
void argreduce_merge(const RankJob& job, std::int64_t r) {
  std::uint32_t key = 0;
  std::int64_t best = -1;
  for (std::int64_t p = 0; p < job.layout.pieces; ++p) {
    std::int64_t index = -1;
    std::memcpy(&index, job.piece(r, p), sizeof index);
    if (index < 0) continue;
    const std::uint32_t u = select_key(job.select, job.row(r)[index]);
    if (best >= 0 && u <= key) continue;
    best = index;
    key = u;
  }
  put_best(job, r, best);
}

// --- reservoir and quickselect
// --------------------------------------------------------------------

void reservoir_rows(const RankJob& job, std::int64_t task, std::int64_t slot) {
  const WorkerParts w = filter_parts(job, slot);
  each_row(job, task, [&](std::int64_t r) {
    const std::int64_t n =
        job.simd.reservoir(job.select, job.row(r), job.cols(), job.plan.k_effective, w.lists,
                           job.sorts ? kRankShortSort : 0, w.survivors);
    finish_row(job, r, w.survivors, n, w.sort);
  });
}

// A piece hands on its count and its survivors' columns in the row.
void reservoir_piece(const RankJob& job, std::int64_t r, std::int64_t p, std::int64_t slot) {
  const WorkerParts w = filter_parts(job, slot);
  const std::int64_t begin = job.piece_begin(p);
  const std::int64_t size = job.piece_size(p);
  const std::int64_t n =
      job.simd.reservoir(job.select, job.row(r) + begin, size, std::min(job.plan.k_effective, size),
                         w.lists, 0, w.survivors);
  std::uint32_t* out = job.piece(r, p);
  out[0] = static_cast<std::uint32_t>(n);
  for (std::int64_t j = 0; j < n; ++j)
    out[16 + j] = w.survivors[j] + static_cast<std::uint32_t>(begin);
}

void reservoir_merge(const RankJob& job, std::int64_t r, std::int64_t slot) {
  const WorkerParts w = filter_parts(job, slot);
  std::int64_t n = 0;
  for (std::int64_t p = 0; p < job.layout.pieces; ++p) {
    const std::uint32_t* from = job.piece(r, p);
    std::copy(from + 16, from + 16 + from[0], w.lists.index + n);
    n += from[0];
  }
  const std::int64_t kept = job.simd.best_of_list(job.select, job.row(r), w.lists.index, n,
                                                  job.plan.k_effective, w.lists, w.survivors);
  finish_row(job, r, w.survivors, kept, w.sort);
}

void quickselect_rows(const RankJob& job, std::int64_t task, std::int64_t slot) {
  const WorkerParts w = filter_parts(job, slot);
  each_row(job, task, [&](std::int64_t r) {
    const std::int64_t n = job.simd.quickselect(job.select, job.central, job.row(r), job.cols(),
                                                job.plan.k_effective, w.lists, w.survivors);
    finish_row(job, r, w.survivors, n, w.sort);
  });
}

// --- launches
// -------------------------------------------------------------------------------------

void run_split(const RankJob& job, Phases& phases, const char* sort) {
  const CpuRankLayout& l = job.layout;
  if (job.plan.algorithm == RankAlgorithm::radix) return run_split_radix(job, phases, sort);
  if (job.plan.algorithm == RankAlgorithm::argreduce) {
    phases.run("argreduce_piece", "", l.read_tasks, l.threads,
               by_piece(job, [&](std::int64_t r, std::int64_t p, std::int64_t) {
                 argreduce_piece(job, r, p);
               }));
    phases.run("argreduce_merge", sort, job.rows(), l.merge_threads,
               [&](std::int64_t r, std::int64_t) { argreduce_merge(job, r); });
    return;
  }
  phases.run("reservoir_piece", "", l.read_tasks, l.threads,
             by_piece(job, [&](std::int64_t r, std::int64_t p, std::int64_t slot) {
               reservoir_piece(job, r, p, slot);
             }));
  phases.run("reservoir_merge", sort, job.rows(), l.merge_threads,
             [&](std::int64_t r, std::int64_t slot) { reservoir_merge(job, r, slot); });
}

void run_whole(const RankJob& job, Phases& phases, const char* sort) {
  const CpuRankLayout& l = job.layout;
  switch (job.plan.algorithm) {
    case RankAlgorithm::argreduce:
      return phases.run("argreduce", sort, l.read_tasks, l.threads,
                        [&](std::int64_t task, std::int64_t) { argreduce_rows(job, task); });
    case RankAlgorithm::reservoir:
      return phases.run(
          "reservoir", sort, l.read_tasks, l.threads,
          [&](std::int64_t task, std::int64_t slot) { reservoir_rows(job, task, slot); });
    case RankAlgorithm::quickselect:
      return phases.run(
          "quickselect", sort, l.read_tasks, l.threads,
          [&](std::int64_t task, std::int64_t slot) { quickselect_rows(job, task, slot); });
    default:
      return phases.run("radix", sort, l.read_tasks, l.threads,
                        [&](std::int64_t task, std::int64_t slot) { radix_rows(job, task, slot); });
  }
}

// The first NaN in row-major order, or −1.
std::int64_t scan_nan(const RankJob& job, Phases& phases) {
  std::atomic<std::int64_t> first{std::numeric_limits<std::int64_t>::max()};
  const auto look = [&](std::int64_t begin, std::int64_t size) {
    if (begin > first.load(std::memory_order_relaxed)) return;
    const std::int64_t at = job.simd.first_nan(job.x + begin, size);
    if (at < 0) return;
    std::int64_t seen = first.load();
    while (begin + at < seen && !first.compare_exchange_weak(seen, begin + at)) {
    }
  };
  const bool split = job.layout.pieces > 1;
  phases.run("nan_scan", "", job.layout.read_tasks, job.layout.threads,
             [&](std::int64_t task, std::int64_t) {
               if (split) {
                 const std::int64_t p = task % job.layout.pieces;
                 look(task / job.layout.pieces * job.cols() + job.piece_begin(p),
                      job.piece_size(p));
                 return;
               }
               each_row(job, task, [&](std::int64_t r) { look(r * job.cols(), job.cols()); });
             });
  return first.load() == std::numeric_limits<std::int64_t>::max() ? -1 : first.load();
}

void rank_select(const KernelArgs& args) {
  RankCall& call = *args.rank;
  const RankPlanFields& plan = **call.plan;
  if (plan.algorithm == RankAlgorithm::none) return;
  const bool narrow = args.out[1].type == ElementType::i32;
  const bool bottom = plan.problem.kind == RankKind::bottomk;
  const RankJob job{plan,
                    cpu_rank_layout(plan),
                    select_table(),
                    policy_of(bottom, call.nan),
                    policy_of(plan.problem.kind != RankKind::topk, call.nan),
                    plan.problem.kind == RankKind::midk,
                    call.sorted && plan.sort_stage == SortStage::vector,
                    data<const float>(args.in[0]),
                    data<float>(args.out[0]),
                    narrow ? data<std::int32_t>(args.out[1]) : nullptr,
                    narrow ? nullptr : data<std::int64_t>(args.out[1]),
                    args.out.size() > 2 ? data<std::uint32_t>(args.out[2]) : nullptr};
  Phases phases(call.trace);
  if (call.nan == NanPolicy::raise) {
    call.first_nan = scan_nan(job, phases);
    if (call.first_nan >= 0) return;
  }
  const char* sort = job.sorts ? "_sort" : "";
  if (job.layout.pieces > 1) {
    run_split(job, phases, sort);
  } else {
    run_whole(job, phases, sort);
  }
}

}  // namespace

void register_rank(KernelTable& table) { set_kernel(table, OpId::rank_select, rank_select); }

}  // namespace spiraltorch::cpu
