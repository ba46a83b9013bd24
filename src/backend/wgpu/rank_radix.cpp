#include <algorithm>
#include <bit>
#include <charconv>

#include "backend/wgpu/rank_job.hpp"
#include "backend/wgpu/rank_shaders.hpp"
#include "backend/wgpu/wgsl.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

// The launches of `dispatch_radix` (spec 3, 4.4).
namespace spiraltorch::wgpu {

using Reads = RankShaders::Reads;
const RankShaders kRankClear{"clear", Reads::no, {wgsl::rank_clear}};
const RankShaders kRankHistogram{"histogram", Reads::yes, {wgsl::rank_bins, wgsl::rank_histogram}};
const RankShaders kRankCollect{
    "collect", Reads::yes, {wgsl::rank_bins, wgsl::rank_list, wgsl::rank_collect}};
const RankShaders kRankChoose{"choose", Reads::no, {wgsl::rank_choose}};
const RankShaders kRankCount{
    "count", Reads::yes, {wgsl::rank_class, wgsl::rank_bounds, wgsl::rank_count}};
const RankShaders kRankScan{"scan", Reads::no, {wgsl::rank_scan}};

namespace {

const RankShaders kEmit{
    "emit", Reads::yes, {wgsl::rank_class, wgsl::rank_bounds, wgsl::rank_put, wgsl::rank_emit}};
const RankShaders kRow{
    "select_row",
    Reads::yes,
    {wgsl::rank_class, wgsl::rank_list, wgsl::rank_put, wgsl::rank_walk, wgsl::rank_row}};
const RankShaders kSort{"sort_local", Reads::yes, {wgsl::rank_bitonic, wgsl::rank_sort}};
const RankShaders kTiles{"sort_tiles", Reads::no, {wgsl::rank_bitonic, wgsl::rank_tiles}};
const RankShaders kMerge{"sort_merge", Reads::yes, {wgsl::rank_merge}};

// One launch, in as many dispatches as its rows need.
class Radix {
 public:
  Radix(const RankJob& job, const Launch& launch)
      : job_(job), launch_(launch), layout_(dispatch_layout(job.plan)) {
    const RankProblem& q = job.plan.problem;
    ranges_ = row_ranges(job.device, q.rows, q.cols,
                         std::max({q.cols * 4, layout_.counters.row_bytes, layout_.counts.row_bytes,
                                   layout_.lists.row_bytes}));
  }
  void clear();
  void histogram(std::int64_t digit);
  void choose(std::int64_t digit);
  void count();
  void scan();
  void emit();
  void select_row();
  void sort_local();
  void sort_tiles();
  void merge(int step);

 private:
  RankTask task(const RankShaders& shaders, RowRange range, Constant more = {"UNUSED", 0},
                Constant last = {"UNUSED2", 0}) const {
    return {job_.device,
            shaders.pick(job_.fours, job_.subgroups),
            {{"WG", launch_.block}, more, last},
            range,
            params_};
  }
  RankTask& results(RankTask& to) const {
    return to.bind(job_.values, &RankParams::values).bind(job_.indices, &RankParams::indices);
  }
  RankTask& x(RankTask& to) const { return to.bind(job_.x, &RankParams::x); }
  RankTask& counters(RankTask& to) const { return part(to, layout_.counters, &RankParams::bins); }
  RankTask& state(RankTask& to) const { return part(to, layout_.state, &RankParams::state); }
  RankTask& counts(RankTask& to) const { return part(to, layout_.counts, &RankParams::pieces_at); }
  RankTask& keys(RankTask& to) const { return part(to, layout_.keys, &RankParams::keys); }
  RankTask& columns(RankTask& to) const { return part(to, layout_.columns, &RankParams::columns); }
  RankTask& part(RankTask& to, RankRegion region, std::uint32_t RankParams::*place,
                 std::int64_t item = 4) const {
    return to.bind(*job_.workspace, region, place, item);
  }

  const RankJob& job_;
  const Launch& launch_;
  DispatchLayout layout_;
  RankParams params_ = job_.params;
  std::vector<RowRange> ranges_;
};

void Radix::clear() {
  for (const RowRange range : ranges_) {
    RankTask t = task(kRankClear, range);
    counters(t).run(1);
  }
}

void Radix::histogram(std::int64_t digit) {
  for (const RowRange range : ranges_) {
    RankTask t =
        digit == 1 ? task(kRankCollect, range) : task(kRankHistogram, range, {"DIGIT", digit});
    keys(counts(state(counters(x(t)))));
    if (digit == 1) columns(t);
    t.run(layout_.pieces);
  }
}

void Radix::choose(std::int64_t digit) {
  for (const RowRange range : ranges_) {
    RankTask t = task(kRankChoose, range, {"DIGIT", digit});
    state(counters(t)).run(1);
  }
}

void Radix::count() {
  for (const RowRange range : ranges_) {
    RankTask t = task(kRankCount, range);
    keys(counts(state(x(t)))).run(layout_.pieces);
  }
}

void Radix::scan() {
  for (const RowRange range : ranges_) {
    RankTask t = task(kRankScan, range);
    counts(t).run(1);
  }
}

void Radix::emit() {
  for (const RowRange range : ranges_) {
    RankTask t = task(kEmit, range);
    counts(state(results(columns(keys(x(t)))))).run(layout_.pieces);
  }
}

void Radix::select_row() {
  for (const RowRange range : ranges_) {
    RankTask t = task(kRow, range);
    state(results(columns(keys(x(t))))).run(1);
  }
}

void Radix::sort_local() {
  for (const RowRange range : ranges_) {
    RankTask t =
        task(kSort, range, {"N", launch_.shared_bytes / 8}, {"DONE", layout_.pieces == 1 ? 1 : 0});
    state(results(x(t))).run(1);
  }
}

void Radix::sort_tiles() {
  const std::int64_t tiles = (job_.plan.problem.k + kRankSortTile - 1) / kRankSortTile;
  for (const RowRange range : ranges_) {
    RankTask t = task(kTiles, range, {"N", kRankSortTile});
    part(results(t), layout_.lists, &RankParams::merged, 8).run(tiles);
  }
}

void Radix::merge(int step) {
  const std::int64_t k = job_.plan.problem.k;
  const std::int64_t run = kRankSortTile << step;
  const std::int64_t each = launch_.block * kRankMergeItems;
  params_.run = static_cast<std::uint32_t>(run);
  const bool forth = step % 2 == 0;
  for (const RowRange range : ranges_) {
    RankTask t = task(kMerge, range, {"LAST", 2 * run >= k ? 1 : 0});
    part(results(x(t)), forth ? layout_.lists : layout_.merged, &RankParams::lists, 8);
    part(t, forth ? layout_.merged : layout_.lists, &RankParams::merged, 8);
    t.run((k + each - 1) / each);
  }
}

}  // namespace

void issue_radix(const RankJob& job, const Launch& launch) {
  Radix radix(job, launch);
  const std::string_view name = launch.kernel;
  const std::size_t letters = std::min(name.find_first_of("0123456789"), name.size());
  int number = 0;
  std::from_chars(name.data() + letters, name.data() + name.size(), number);
  const std::string_view word = name.substr(0, letters);
  if (word == "clear") return radix.clear();
  if (word == "histogram") return radix.histogram(number);
  if (word == "choose") return radix.choose(number);
  if (word == "count") return radix.count();
  if (word == "scan") return radix.scan();
  if (word == "emit") return radix.emit();
  if (word == "select_row") return radix.select_row();
  if (word == "sort_local") return radix.sort_local();
  if (word == "sort_tiles") return radix.sort_tiles();
  if (word == "sort_merge") return radix.merge(number);
  fail(Errc::internal, "rank_select", text("launch: got ", name, ", expected one of a plan's"));
}

}  // namespace spiraltorch::wgpu
