#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ops/rank_device.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/runtime/backend.hpp"

// Measures the feasible algorithms of a device and stores where one beats the rules.
namespace spiraltorch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLeastRuns = 5;
constexpr double kRunSeconds = 0.02;  // measured at least this long

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Timing {
  double median = 0.0;
  double mad = 0.0;
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Timing time_plan(const SharedPlan& plan, const Tensor& x) {
  (void)rank(plan, x);  // warm-up
  std::vector<double> times;
  const auto start = Clock::now();
  while (std::ssize(times) < kLeastRuns ||
         (seconds_since(start) < kRunSeconds && times.size() < 200)) {
    const auto begin = Clock::now();
    (void)rank(plan, x);
    synchronize(x.device());
    times.push_back(seconds_since(begin));
  }
  Timing out{median_of(times), 0.0};
  for (double& t : times) t = std::abs(t - out.median);
  out.mad = median_of(times);
  return out;
}

// The grid: powers of two, smallest first, at most 2²⁴ elements a problem.
std::vector<RankProblem> grid() {
  std::vector<RankProblem> out;
  for (const std::int64_t size : {14, 17, 20, 23}) {
    for (const std::int64_t cols : {7, 10, 12, 14, 16, 18, 20, 23}) {
      if (cols > size) continue;
      for (const std::int64_t k : {0, 3, 5, 7, 9, 11, 13}) {
        if (k + 1 > cols) continue;
        for (const RankKind kind : {RankKind::topk, RankKind::midk, RankKind::bottomk}) {
          out.push_back({kind, std::int64_t{1} << (size - cols), std::int64_t{1} << cols,
                         std::int64_t{1} << k});
        }
      }
    }
  }
  return out;
}

// The best algorithm of one problem, where it beats the rules' choice.
void tune_problem(const RankProblem& q, const DeviceCaps& caps, const Tensor& x,
                  TuningTable& table) {
  const auto able = feasible_algorithms(q, caps);
  if (able.size() < 2) return;
  const RankPlan ruled = plan(q, caps);
  const Timing rule = time_plan(std::make_shared<const RankPlan>(ruled), x);
  TuningEntry best{bucket_of(q), ruled->algorithm, rule.median, rule.mad};
  for (const RankAlgorithm a : able) {
    if (a == ruled->algorithm) continue;
    const Timing t =
        time_plan(std::make_shared<const RankPlan>(replace(ruled, caps, {.algorithm = a})), x);
    if (t.median < best.median) best = {bucket_of(q), a, t.median, t.mad};
  }
  std::erase_if(table.entries, [&](const TuningEntry& e) { return e.bucket == best.bucket; });
  if (best.algorithm == ruled->algorithm) return;
  if (beats_rule(best.median, best.mad, rule.median, rule.mad)) table.entries.push_back(best);
}

void write_table(const std::string& path, const TuningTable& table) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  const std::string partial = path + ".part";
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    out << to_json(table) << '\n';
    if (!out.flush()) {
      fail(
          Errc::io, "tune",
          text("table: got no write access to ", partial, ", expected a writable cache directory"));
    }
  }
  fs::rename(partial, path, error);
  if (error)
    fail(Errc::io, "tune",
         text("table: got '", error.message(), "' for ", path, ", expected to store it there"));
}

}  // namespace

TuneReport tune(const TuneOptions& options) {
  if (!(options.budget_seconds > 0.0)) {
    fail(Errc::invalid_value, "tune",
         text("budget: got ", options.budget_seconds, ", expected seconds > 0"));
  }
  const DeviceId device = resolve_device("tune", options.device, true);
  const DeviceCaps caps = ranking::caps_of(device);
  TuneReport report;
  report.path = tuning_path(caps);
  require(!report.path.empty(), Errc::io, "tune",
          "cache directory: got none, expected one (SPIRALTORCH_CACHE_DIR)");
  report.table = {kPlannerVersion, fingerprint(caps), {}};
  if (!options.reset) {
    if (const auto stored = tuning_table(caps)) report.table = *stored;
  }
  const auto start = Clock::now();
  for (const RankProblem& q : grid()) {
    if (seconds_since(start) > options.budget_seconds) break;
    const Tensor x = Tensor::randn(q.rows, q.cols, 1, {.requires_grad = false, .device = device});
    tune_problem(q, caps, x, report.table);
    ++report.problems;
  }
  write_table(report.path, report.table);
  forget_plans();
  return report;
}

}  // namespace spiraltorch
