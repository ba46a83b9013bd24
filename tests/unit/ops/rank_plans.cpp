#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "check_error.hpp"
#include "environment.hpp"
#include "ops/rank_device.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "temporary.hpp"

// The memo of plans and the tables that tuning stores.
using namespace spiraltorch;

namespace {

constexpr RankProblem kProblem{RankKind::topk, 8, 60000, 40};

std::vector<std::string>& heard() {
  static std::vector<std::string> messages;
  return messages;
}

// Collects warnings while it lives.
class Listener {
 public:
  Listener() : before_(set_warning_handler([](std::string_view m) { heard().emplace_back(m); })) {
    heard().clear();
  }
  ~Listener() { set_warning_handler(before_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  WarningHandler before_;
};

// A cache directory of its own while it lives.
class Cache {
 public:
  Cache() {
    environment_.set("SPIRALTORCH_CACHE_DIR", folder_.file(""));
    forget_plans();
  }
  ~Cache() { forget_plans(); }
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Stores text where the CPU's table is looked for.
  void store(const std::string& content) const {
    const std::string name = std::filesystem::path(path()).filename().string();
    (void)folder_.write(name, content);
    forget_plans();
  }
  [[nodiscard]] static DeviceCaps caps() { return ranking::caps_of({}); }
  [[nodiscard]] static std::string path() { return tuning_path(caps()); }

 private:
  TemporaryFolder folder_;
  Environment environment_;
};

TuningTable good_table() {
  return {kPlannerVersion,
          fingerprint(Cache::caps()),
          {{bucket_of(kProblem), RankAlgorithm::radix, 1e-3, 1e-5}}};
}

// Plans three times, of which the last two meet what the first has read.
void check_ignored(const Cache& cache, const std::string& content, const std::string& reason) {
  const Listener listener;
  cache.store(content);
  CAPTURE(reason);
  for (int i = 0; i < 3; ++i) {
    CHECK((*plan_for(kProblem, "cpu"))->provenance == PlanProvenance::rule);
    CHECK(tuning_table(Cache::caps()) == nullptr);
    if (i == 1) forget_plans();
  }
  REQUIRE(heard().size() == 1);
  CAPTURE(heard()[0]);
  CHECK(heard()[0].find(Cache::path()) != std::string::npos);
  CHECK(heard()[0].find("is ignored: ") != std::string::npos);
  CHECK(heard()[0].find(reason) != std::string::npos);
}

}  // namespace

TEST_CASE("the memo gives the same plan again, until it is forgotten") {
  const Cache cache;
  const SharedPlan first = plan_for(kProblem, "cpu");
  CHECK(plan_for(kProblem, "cpu") == first);
  CHECK((*plan_for(kProblem, "CPU"))->requested_device == "CPU");
  CHECK(plan_for({RankKind::topk, 8, 60000, 41}, "cpu") != first);
  forget_plans();
  const SharedPlan again = plan_for(kProblem, "cpu");
  CHECK(again != first);
  CHECK(*again == *first);
  for (std::int64_t k = 1; k <= 1024; ++k) (void)plan_for({RankKind::topk, 1, 5000, k}, "cpu");
  CHECK(plan_for(kProblem, "cpu") != again);  // 1024 problems later
}

TEST_CASE("an execution uses the memo's plan") {
  const Cache cache;
  const Tensor x = Tensor::ones(8, 50);
  CHECK(topk(x, 3).plan == plan_for({RankKind::topk, 8, 50, 3}, "cpu"));
  CHECK(topk(x, 3).plan == topk(x, 3).plan);
}

TEST_CASE("absent devices are planned from their templates without a warning") {
  const Cache cache;
  const Listener listener;
  for (const char* name : {"hip:9", "CUDA:12", "wgpu:31", "mps"}) {
    CAPTURE(name);
    const SharedPlan p = plan_for(kProblem, name);
    CHECK((*p)->simulated);
    CHECK((*p)->requested_device == name);
    CHECK((*p)->device == parse_device("test", name).device);
    CHECK((*p)->fingerprint == fingerprint(template_caps((*p)->device)));
    CHECK(plan_for(kProblem, name) == p);
  }
  CHECK_FALSE((*plan_for(kProblem, "auto"))->simulated);
  CHECK(heard().empty());
  check_error(Errc::invalid_value, [] { (void)plan_for(kProblem, "gpu"); });
  check_error(Errc::invalid_value, [] { (void)plan_for({RankKind::topk, -1, 1, 1}, "cpu"); });
}

TEST_CASE("a tuning table in the cache directory is used") {
  const Cache cache;
  const Listener listener;
  CHECK(tuning_table(Cache::caps()) == nullptr);
  cache.store(to_json(good_table()));
  const auto table = tuning_table(Cache::caps());
  REQUIRE(table != nullptr);
  CHECK(*table == good_table());
  const SharedPlan p = plan_for(kProblem, "cpu");
  CHECK((*p)->provenance == PlanProvenance::tuned);
  CHECK((*p)->algorithm == RankAlgorithm::radix);
  CHECK((*plan_for({RankKind::midk, 8, 60000, 40}, "cpu"))->provenance == PlanProvenance::rule);
  CHECK(heard().empty());
}

TEST_CASE("a tuned plan selects the same bytes") {
  const Cache cache;
  const Tensor x = Tensor::randn(8, 60000, 3);
  const RankResult ruled = topk(x, 40);
  cache.store(to_json(good_table()));
  const RankResult tuned = topk(x, 40);
  CHECK((*tuned.plan)->provenance == PlanProvenance::tuned);
  CHECK(tuned.values.data() == ruled.values.data());
  CHECK(tuned.indices.data() == ruled.indices.data());
}

TEST_CASE("a tuning table that does not fit is ignored with one warning") {
  const Cache cache;
  const std::string good = to_json(good_table());
  check_ignored(cache, good.substr(0, good.size() / 2), "table");
  check_ignored(cache, "", "table");
  check_ignored(cache, "\xff\x01", "table");
  TuningTable other = good_table();
  other.fingerprint = "0123456789abcdef";
  check_ignored(cache, to_json(other), "fingerprint 0123456789abcdef");
  other = good_table();
  other.planner_version += 1;
  check_ignored(cache, to_json(other), "planner version");
}

TEST_CASE("without a cache directory there is no table") {
  Environment environment;
  environment.set("SPIRALTORCH_CACHE_DIR", "");
  forget_plans();
  CHECK(tuning_path(Cache::caps()).empty());
  CHECK(tuning_table(Cache::caps()) == nullptr);
  check_error(Errc::io, [] { (void)tune({.device = "cpu", .budget_seconds = 1e-9}); });
  environment.set("SPIRALTORCH_CACHE_DIR").set("XDG_CACHE_HOME", "/x");
  CHECK(tuning_path(Cache::caps()).find("/x/spiraltorch/rank-") == 0);
  environment.set("XDG_CACHE_HOME").set("HOME", "/h");
  CHECK(tuning_path(Cache::caps()) ==
        "/h/.cache/spiraltorch/rank-" + fingerprint(Cache::caps()) + ".json");
  forget_plans();
}

TEST_CASE("tune writes a table that is read again") {
  const Cache cache;
  const Listener listener;
  const TuneReport report = tune({.device = "cpu", .budget_seconds = 0.3});
  CHECK(report.problems >= 1);
  CHECK(report.path == Cache::path());
  CHECK(tuning_from_json(read_text(report.path)) == report.table);
  CHECK(report.table.fingerprint == fingerprint(Cache::caps()));
  CHECK(report.table.planner_version == kPlannerVersion);
  const auto table = tuning_table(Cache::caps());
  REQUIRE(table != nullptr);
  CHECK(*table == report.table);
  CHECK_FALSE(std::filesystem::exists(report.path + ".part"));
  CHECK(heard().empty());
}

TEST_CASE("tune keeps what is stored, unless told to drop it") {
  const Cache cache;
  cache.store(to_json(good_table()));  // a size class that a small budget does not reach
  const TuneReport kept = tune({.device = "cpu", .budget_seconds = 1e-9});
  CHECK(find_entry(kept.table, bucket_of(kProblem)) != nullptr);
  CHECK((*plan_for(kProblem, "cpu"))->provenance == PlanProvenance::tuned);
  const TuneReport reset = tune({.device = "cpu", .budget_seconds = 1e-9, .reset = true});
  CHECK(find_entry(reset.table, bucket_of(kProblem)) == nullptr);
  CHECK((*plan_for(kProblem, "cpu"))->provenance == PlanProvenance::rule);
}

TEST_CASE("tune's errors") {
  const Cache cache;
  check_error(Errc::invalid_value, [] { (void)tune({.device = "cpu", .budget_seconds = 0.0}); });
  check_error(Errc::invalid_value, [] { (void)tune({.device = "cpu", .budget_seconds = -1.0}); });
  check_error(Errc::invalid_value, [] { (void)tune({.device = "gpu"}); });
  check_error(Errc::device, [] { (void)tune({.device = "hip:9"}); });
  const TemporaryFolder folder;
  Environment environment;
  environment.set("SPIRALTORCH_CACHE_DIR", folder.write("file", "not a folder"));
  check_error(Errc::io, [] { (void)tune({.device = "cpu", .budget_seconds = 1e-9}); });
}
