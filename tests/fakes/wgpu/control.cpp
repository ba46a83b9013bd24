#include "control.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include "fake.hpp"
#include "pretence.hpp"

namespace fake {
namespace {

struct Plan {
  bool always = false;
  int left = 0;  ///< uses until the one that fails
  Fault fault;
  bool strikes() { return always || (left > 0 && --left == 0); }
};

Plan plan_of(int nth, Fault fault) { return {nth == 0, nth, std::move(fault)}; }

struct State {
  std::recursive_mutex mutex;
  std::map<std::string, int> uses;
  std::map<std::string, std::vector<Plan>> plans;
  std::string violations;
};

Kind kind_of(const std::string& name) {
  if (name == "memory") return Kind::memory;
  if (name == "uncaptured") return Kind::uncaptured;
  if (name == "lost") return Kind::lost;
  if (name == "null") return Kind::null;
  return Kind::validation;
}

void read_environment(State& state) {
  for (const std::string& item : split(variable("FAKE_WGPU_FAIL"), ';')) {
    std::vector<std::string> parts = split(item, ':');
    parts.resize(4);
    state.plans[parts[0]].push_back(
        plan_of(std::atoi(parts[1].c_str()), {kind_of(parts[2]), parts[3]}));
  }
}

State& state() {
  static State& all = *[] {
    auto* made = new State;
    read_environment(*made);
    return made;
  }();
  return all;
}

}  // namespace

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<std::string> split(const std::string& s, char at) {
  std::vector<std::string> out;
  for (std::size_t first = 0; first < s.size();) {
    const std::size_t last = std::min(s.find(at, first), s.size());
    out.push_back(s.substr(first, last - first));
    first = last + 1;
  }
  return out;
}

Fault use(const std::string& call) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  ++all.uses[call];
  Fault out;
  for (Plan& plan : all.plans[call]) {
    if (plan.strikes()) out = plan.fault;
  }
  return out;
}

Fault use(WGPUDevice device, const std::string& call) {
  Fault fault = use(call);
  if (device->lost) return {Kind::lost, "the device is lost"};
  if (fault) report(device, fault);
  return fault;
}

void report(WGPUDevice device, const Fault& fault) {
  if (fault.kind == Kind::null) return;
  if (fault.kind == Kind::lost) {
    lose(device, fault.message);
    return;
  }
  const bool memory = fault.kind == Kind::memory;
  const auto filter = memory ? WGPUErrorFilter_OutOfMemory : WGPUErrorFilter_Validation;
  for (auto scope = device->scopes.rbegin(); scope != device->scopes.rend(); ++scope) {
    if (fault.kind == Kind::uncaptured || scope->filter != filter) continue;
    if (!scope->fault) scope->fault = fault;
    return;
  }
  const auto type = memory ? WGPUErrorType_OutOfMemory : WGPUErrorType_Validation;
  const auto& to = device->on_error;
  to.callback(&device, type, view(fault.message), to.userdata1, to.userdata2);
}

void lose(WGPUDevice device, const std::string& message) {
  if (device->lost) return;
  device->lost = true;
  const auto& to = device->on_loss;
  to.callback(&device, WGPUDeviceLostReason_Unknown, view(message), to.userdata1, to.userdata2);
}

void violation(const std::string& message) {
  const std::lock_guard lock(state().mutex);
  state().violations += message + "\n";
}

}  // namespace fake

using namespace fake;

FAKE_EXPORT void fake_wgpu_fail(const char* call, int nth, const char* kind, const char* message) {
  const std::lock_guard lock(state().mutex);
  state().plans[call].push_back(plan_of(nth, {kind_of(kind), message}));
}

FAKE_EXPORT void fake_wgpu_forgive() {
  const std::lock_guard lock(state().mutex);
  state().plans.clear();
}

FAKE_EXPORT int fake_wgpu_uses(const char* call) {
  const std::lock_guard lock(state().mutex);
  return state().uses[call];
}

FAKE_EXPORT void fake_wgpu_lose(int adapter, const char* message) {
  lose(adapter_at(adapter).device, message);
}

FAKE_EXPORT void fake_wgpu_error(int adapter, const char* message) {
  report(adapter_at(adapter).device, {Kind::uncaptured, message});
}

FAKE_EXPORT int fake_wgpu_submissions(int adapter) {
  return static_cast<int>(adapter_at(adapter).submissions.size());
}

FAKE_EXPORT const char* fake_wgpu_submission(int adapter, int index) {
  return adapter_at(adapter).submissions.at(static_cast<std::size_t>(index)).c_str();
}

FAKE_EXPORT int fake_wgpu_buffers(int adapter) { return adapter_at(adapter).buffers; }

FAKE_EXPORT const char* fake_wgpu_violations() { return state().violations.c_str(); }
