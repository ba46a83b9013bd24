#include "runtime/hip_runtime.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "spiraltorch/base/text.hpp"

namespace spiraltorch::hip {
namespace {

// hipDeviceAttribute_t of hip/hip_runtime_api.h, ROCm 5 to 7.
enum Attribute : int {
  kL2CacheSize = 19,
  kMaxThreadsPerBlock = 56,
  kMultiprocessorCount = 63,
  kMaxSharedMemoryPerBlock = 74,
  kWarpSize = 87,
};

// gcnArchName[256] in hipDeviceProp_tR0600, which has 1472 bytes; with room for later fields.
constexpr std::size_t kArchNameOffset = 1160;
constexpr std::size_t kArchNameBytes = 256;
constexpr std::size_t kPropertiesBytes = 8192;

std::string failed(const Runtime& runtime, std::string_view call, int code) {
  const char* name = runtime.error_name == nullptr ? nullptr : runtime.error_name(code);
  return text(call, ": ", name == nullptr ? "error" : name, " (", code, ")");
}

void load_symbols(Runtime& r) {
  const auto load = [&r](auto& function, const char* symbol) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(r.library.find(symbol));
    return function != nullptr;
  };
  load(r.device_name, "hipDeviceGetName");
  load(r.total_memory, "hipDeviceTotalMem");
  load(r.attribute, "hipDeviceGetAttribute");
  load(r.properties, "hipGetDevicePropertiesR0600");
  load(r.driver_version, "hipDriverGetVersion");
  load(r.runtime_version, "hipRuntimeGetVersion");
  load(r.error_name, "hipGetErrorName");
  if (!load(r.init, "hipInit")) {
    r.error = text(r.library.path, ": no symbol hipInit");
  } else if (!load(r.device_count, "hipGetDeviceCount")) {
    r.error = text(r.library.path, ": no symbol hipGetDeviceCount");
  }
}

void replace_if_positive(const Runtime& r, int device, Attribute attribute, std::int64_t& number) {
  int value = 0;
  if (r.attribute != nullptr && r.attribute(&value, attribute, device) == 0 && value > 0) {
    number = value;
  }
}

int version_of(int (*call)(int*)) {
  int version = 0;
  return call != nullptr && call(&version) == 0 ? version : 0;
}

std::string versions(const Runtime& r) {
  const std::string driver = version_text(version_of(r.driver_version));
  const std::string runtime = version_text(version_of(r.runtime_version));
  std::string out;
  if (!driver.empty()) out = text("driver ", driver);
  if (!runtime.empty()) out += text(out.empty() ? "" : ", ", "runtime ", runtime);
  return out;
}

// "gfx90a" of "gfx90a:sramecc+:xnack-"; empty where the runtime does not tell.
std::string architecture(const Runtime& r, int device) {
  alignas(16) std::array<char, kPropertiesBytes> properties{};
  if (r.properties == nullptr || r.properties(properties.data(), device) != 0) return {};
  std::string_view name(properties.data() + kArchNameOffset, kArchNameBytes);
  name = name.substr(0, name.find('\0'));
  if (name.substr(0, 3) != "gfx") return {};
  return std::string(name.substr(0, name.find(':')));
}

}  // namespace

Runtime open_runtime() {
  Runtime r;
  r.library = open_library("libamdhip64");
  if (!r.library) {
    r.error = text("libamdhip64: ", r.library.error);
    return r;
  }
  load_symbols(r);
  if (!r.error.empty()) return r;
  if (const int code = r.init(0); code != 0) {
    r.error = failed(r, "hipInit", code);
  } else if (const int failure = r.device_count(&r.count); failure != 0) {
    r.error = failed(r, "hipGetDeviceCount", failure);
  } else if (r.count <= 0) {
    r.error = "hipGetDeviceCount: no device";
  }
  if (!r.error.empty()) r.count = 0;
  return r;
}

std::string device_name(const Runtime& runtime, int device) {
  std::array<char, 256> name{};
  if (runtime.device_name == nullptr ||
      runtime.device_name(name.data(), static_cast<int>(name.size()), device) != 0 ||
      name[0] == '\0') {
    return to_text(DeviceId{DeviceType::hip, device});
  }
  name.back() = '\0';
  return name.data();
}

DeviceCaps describe(const Runtime& runtime, int device) {
  DeviceCaps caps = template_caps({DeviceType::hip, device});
  caps.available = caps.queried = true;
  caps.name = device_name(runtime, device);
  caps.driver = versions(runtime);
  caps.arch = architecture(runtime, device);
  replace_if_positive(runtime, device, kWarpSize, caps.lane_width);
  replace_if_positive(runtime, device, kMaxThreadsPerBlock, caps.max_workgroup);
  replace_if_positive(runtime, device, kMaxSharedMemoryPerBlock, caps.shared_bytes);
  replace_if_positive(runtime, device, kMultiprocessorCount, caps.compute_units);
  replace_if_positive(runtime, device, kL2CacheSize, caps.cache_bytes);
  std::size_t bytes = 0;
  if (runtime.total_memory != nullptr && runtime.total_memory(&bytes, device) == 0) {
    caps.memory_bytes = static_cast<std::int64_t>(bytes);
  }
  return caps;
}

// HIP_VERSION: major * 10^7 + minor * 10^5 + patch.
std::string version_text(int version) {
  if (version <= 0) return {};
  return text(version / 10000000, '.', version / 100000 % 100, '.', version % 100000);
}

}  // namespace spiraltorch::hip
