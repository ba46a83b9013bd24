#include "spiraltorch/runtime/probe.hpp"

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>

#include "runtime/hip_runtime.hpp"
#include "runtime/vendor_libraries.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/library.hpp"

namespace spiraltorch {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool installed_under(std::string_view root) {
  if (root.empty()) return false;
  for (const char* file : {"lib/libamdhip64.so", "lib/libhiprtc.so", "bin/hipcc"}) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::path(root) / file, ignored)) return true;
  }
  return false;
}

bool environment_says_available() {
  const std::string_view force = variable("SPIRALTORCH_FORCE_HIP");
  return force == "1" || force == "true" || force == "TRUE" ||
         installed_under(variable("ROCM_PATH")) || installed_under(variable("HIP_PATH"));
}

std::string_view strip(std::string_view token) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto first = token.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return token.substr(first, token.find_last_not_of(kBlanks) - first + 1);
}

// All ASCII digits and within 32 bits.
std::optional<std::uint32_t> small_number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > std::numeric_limits<std::uint32_t>::max()) return {};
  }
  return static_cast<std::uint32_t>(value);
}

std::vector<HipDevice> hinted_devices() {
  const char* list = std::getenv("ROCM_VISIBLE_DEVICES");
  if (list == nullptr) list = std::getenv("HIP_VISIBLE_DEVICES");
  std::vector<HipDevice> out;
  if (list == nullptr) return out;
  std::string_view rest = list;
  for (std::uint32_t position = 0;; ++position) {
    const auto comma = rest.find(',');
    if (const auto token = strip(rest.substr(0, comma)); !token.empty()) {
      out.push_back({small_number(token).value_or(position), text("ROCm-device-", token), false});
    }
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

HipProbe enumerate(const hip::Runtime& runtime) {
  HipProbe probe{.available = true, .initialized = true};
  const bool multi_node = static_cast<bool>(open_library("librccl"));
  for (int i = 0; i < runtime.count; ++i) {
    probe.devices.push_back(
        {static_cast<std::uint32_t>(i), hip::device_name(runtime, i), multi_node});
  }
  return probe;
}

// The runtime's own word on HIP, also in a build without kernels for it.
DeviceCaps describe_hip(DeviceId device) {
  const hip::Runtime runtime = hip::open_runtime();
  if (device.index < runtime.count) return hip::describe(runtime, device.index);
  DeviceCaps caps = template_caps(device);
  caps.error = runtime.count == 0
                   ? runtime.error
                   : text("no device ", device.index, ", ", runtime.count, " present");
  return caps;
}

DeviceCaps describe_only(DeviceId device) {
  const BackendInfo* backend = find_backend(device.type);
  if (backend == nullptr && device.type == DeviceType::hip) return describe_hip(device);
  DeviceStatus status = device_status(device);
  if (status.available) {
    try {
      DeviceCaps caps = backend->driver->describe(device.index);
      caps.device = device;
      caps.available = true;
      return caps;
    } catch (const Error& e) {  // there, but lost or not to be opened
      status.reason = e.what();
    }
  }
  DeviceCaps caps = template_caps(device);
  caps.error = status.reason;
  return caps;
}

int device_count(DeviceType type) {
  if (const BackendInfo* backend = find_backend(type)) return backend->driver->device_count();
  return type == DeviceType::hip ? hip::open_runtime().count : 0;
}

}  // namespace

DeviceCaps describe_device(DeviceId device) {
  DeviceCaps caps = describe_only(device);
  caps.libraries = vendor_libraries(device.type);
  return caps;
}

DeviceCaps describe_device(std::string_view device) {
  const DeviceId wanted = requested_device("describe_device", device);
  if (!lacks_metal("describe_device", device)) return describe_device(wanted);
  DeviceCaps caps = template_caps(wanted);
  caps.libraries = vendor_libraries(wanted.type);
  caps.error = kNoMetal;
  return caps;
}

std::vector<DeviceId> available_devices() {
  std::vector<DeviceId> out;
  for (const DeviceType type :
       {DeviceType::cpu, DeviceType::wgpu, DeviceType::cuda, DeviceType::hip}) {
    for (int i = 0, count = device_count(type); i < count; ++i) out.push_back({type, i});
  }
  return out;
}

HipProbe hip_probe() {
  const hip::Runtime runtime = hip::open_runtime();
  if (runtime.count > 0) return enumerate(runtime);
  HipProbe probe;
  probe.error = runtime.error;
  probe.available = environment_says_available();
  probe.devices = hinted_devices();
  if (probe.devices.empty() && probe.available) probe.devices.push_back({0, "rocm-probe", false});
  probe.simulated = !probe.devices.empty();
  return probe;
}

}  // namespace spiraltorch
