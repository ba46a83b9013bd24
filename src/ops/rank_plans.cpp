#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>

#include "ops/rank_device.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/probe.hpp"

// Plans by problem, and the tables that tuning stored.
namespace spiraltorch {
namespace {

constexpr std::size_t kMemo = 1024;

using Key =
    std::tuple<RankKind, std::int64_t, std::int64_t, std::int64_t, std::string, std::string>;

struct Memo {
  std::mutex lock;
  std::map<Key, SharedPlan> plans;
  std::deque<Key> order;
  std::map<std::string, std::shared_ptr<const TuningTable>> tables;  // by fingerprint
  std::map<std::string, DeviceCaps> devices;                         // other than the CPU
};

Memo& memo() {
  static Memo instance;
  return instance;
}

std::string cache_folder() {
  const auto value = [](const char* name) {
    const char* found = std::getenv(name);
    return found == nullptr ? std::optional<std::string>() : std::string(found);
  };
  if (const auto own = value("SPIRALTORCH_CACHE_DIR")) return *own;
  const auto xdg = value("XDG_CACHE_HOME");
  if (xdg && !xdg->empty()) return *xdg + "/spiraltorch";
  const auto home = value("HOME");
  return home && !home->empty() ? *home + "/.cache/spiraltorch" : std::string();
}

// Why a stored table cannot be used; empty where it can.
std::string unfit(const TuningTable& table, const std::string& wanted) {
  if (table.planner_version != kPlannerVersion) {
    return text("planner version ", table.planner_version, ", expected ", kPlannerVersion);
  }
  if (table.fingerprint != wanted) {
    return text("fingerprint ", table.fingerprint, ", expected ", wanted);
  }
  return {};
}

std::shared_ptr<const TuningTable> read_table(const std::string& path, const std::string& wanted) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return nullptr;
  std::stringstream content;
  content << in.rdbuf();
  std::string problem;
  try {
    auto table = std::make_shared<TuningTable>(tuning_from_json(content.str()));
    problem = unfit(*table, wanted);
    if (problem.empty()) return table;
  } catch (const Error& e) {
    problem = e.what();
  }
  warn_once(text("tuning table ", path, " is ignored: ", problem));
  return nullptr;
}

}  // namespace

// Asking an absent device opens libraries: once.
DeviceCaps ranking::caps_of(DeviceId device) {
  if (device.is_cpu()) return find_backend(device.type)->driver->describe(device.index);
  Memo& m = memo();
  const std::string name = to_text(device);
  {
    const std::scoped_lock lock(m.lock);
    const auto found = m.devices.find(name);
    if (found != m.devices.end()) return found->second;
  }
  DeviceCaps caps = describe_device(device);
  const std::scoped_lock lock(m.lock);
  return m.devices.emplace(name, std::move(caps)).first->second;
}

RankPlan replace(const RankPlan& plan, const PlanOverrides& overrides) {
  return replace(plan, ranking::caps_of(plan->device), overrides);
}

std::string tuning_path(const DeviceCaps& caps) {
  const std::string folder = cache_folder();
  return folder.empty() ? std::string() : text(folder, "/rank-", fingerprint(caps), ".json");
}

std::shared_ptr<const TuningTable> tuning_table(const DeviceCaps& caps) {
  const std::string print = fingerprint(caps);
  Memo& m = memo();
  {
    const std::scoped_lock lock(m.lock);
    const auto found = m.tables.find(print);
    if (found != m.tables.end()) return found->second;
  }
  const std::string path = tuning_path(caps);
  auto table = path.empty() ? nullptr : read_table(path, print);
  const std::scoped_lock lock(m.lock);
  return m.tables.emplace(print, std::move(table)).first->second;
}

void forget_plans() {
  Memo& m = memo();
  const std::scoped_lock lock(m.lock);
  m.plans.clear();
  m.order.clear();
  m.tables.clear();
  m.devices.clear();
}

SharedPlan ranking::memo_plan(const RankProblem& problem, const DeviceCaps& caps,
                              std::string_view requested) {
  Memo& m = memo();
  Key key{problem.kind, problem.rows,           problem.cols,
          problem.k,    std::string(requested), fingerprint(caps)};
  {
    const std::scoped_lock lock(m.lock);
    const auto found = m.plans.find(key);
    if (found != m.plans.end()) return found->second;
  }
  const auto table = caps.available ? tuning_table(caps) : nullptr;
  auto made = std::make_shared<const RankPlan>(plan(problem, caps, requested, table.get()));
  const std::scoped_lock lock(m.lock);
  if (!m.plans.emplace(key, made).second) return m.plans.at(key);
  m.order.push_back(std::move(key));
  if (m.order.size() > kMemo) {
    m.plans.erase(m.order.front());
    m.order.pop_front();
  }
  return made;
}

SharedPlan plan_for(const RankProblem& problem, std::string_view device) {
  const DeviceId wanted = requested_device("plan", device);
  return ranking::memo_plan(
      problem, lacks_metal("plan", device) ? template_caps(wanted) : ranking::caps_of(wanted),
      device);
}

}  // namespace spiraltorch
