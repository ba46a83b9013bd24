#include "spiraltorch/runtime/probe.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "check_error.hpp"
#include "environment.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "temporary.hpp"

using namespace spiraltorch;
using Json = nlohmann::json;

namespace {

constexpr const char* kNowhere = "/nonexistent/library.so";

const Json& golden_file() {
  static const Json json = [] {
    std::ifstream in(std::string(SPIRALTORCH_TEST_DATA) + "/golden/rank.json");
    REQUIRE(in.good());
    return Json::parse(in);
  }();
  return json;
}

// No hints, and `runtime` as HIP's and RCCL's library.
void use_hip(Environment& env, const char* runtime, const char* rccl = kNowhere) {
  for (const char* name :
       {"SPIRALTORCH_FORCE_HIP", "ROCM_PATH", "HIP_PATH", "ROCM_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES", "SPIRALTORCH_DEVICE", "FAKE_HIP_DEVICES", "FAKE_HIP_FAIL"}) {
    env.set(name);
  }
  env.set("SPIRALTORCH_LIB_AMDHIP64", runtime).set("SPIRALTORCH_LIB_RCCL", rccl);
}

// The warnings that `f` gives.
template <class F>
int warnings_of(F&& f) {
  static int count = 0;
  const WarningHandler before = set_warning_handler([](std::string_view) { ++count; });
  count = 0;
  f();
  set_warning_handler(before);
  return count;
}

bool contains(const std::string& s, const std::string& part) {
  return s.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("hints of the environment, golden") {
  const Json& cases = golden_file().at("hip_probe");
  REQUIRE(cases.size() >= 7);
  for (const Json& one : cases) {
    const std::string described = one.dump();
    CAPTURE(described);
    const TemporaryFolder root;
    Environment env;
    use_hip(env, kNowhere);
    for (const auto& [name, value] : one.at("env").items()) {
      const auto text = value.get<std::string>();
      const bool is_path = name == "ROCM_PATH" || name == "HIP_PATH";
      env.set(name, is_path ? root.file(text.substr(1)) : text);
    }
    for (const Json& path : one.at("exists")) {
      const std::filesystem::path file = root.file(path.get<std::string>().substr(1));
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file).close();
    }
    const HipProbe probe = hip_probe();
    const Json& want = one.at("expect");
    CHECK(probe.available == want.at("available").get<bool>());
    CHECK(probe.initialized == want.at("initialized").get<bool>());
    CHECK(probe.simulated == want.at("simulated").get<bool>());
    CHECK(contains(probe.error, "libamdhip64: "));
    CHECK(contains(probe.error, kNowhere));
    Json devices = Json::array();
    for (const HipDevice& d : probe.devices) {
      devices.push_back({{"id", d.id}, {"name", d.name}, {"multi_node", d.multi_node}});
    }
    CHECK(devices == want.at("devices"));
    CHECK(!describe_device("hip").available);
  }
}

TEST_CASE("device strings, golden") {
  for (const Json& one : golden_file().at("device_strings")) {
    const auto name = one.at(0).get<std::string>();
    CAPTURE(name);
    if (one.at(1).is_object()) {
      check_error(Errc::invalid_value, [&] { (void)parse_device("test", name); });
      check_error(Errc::invalid_value, [&] { (void)describe_device(name); });
      continue;
    }
    const DeviceRequest request = parse_device("test", name);
    const auto kind = one.at(1).at(0).get<std::string>();
    CHECK(request.is_auto == (kind == "auto"));
    CHECK(request.is_metal == (kind == "mps"));
    if (request.is_auto) continue;
    CHECK(backend_name(request.device.type) == (kind == "mps" ? "wgpu" : kind));
    const Json& ordinal = one.at(1).at(1);
    CHECK(request.device.index == (ordinal.is_null() ? 0 : ordinal.get<int>()));
  }
}

TEST_CASE("an initialised runtime's devices are enumerated") {
  Environment env;
  use_hip(env, SPIRALTORCH_FAKE_HIP);
  env.set("FAKE_HIP_DEVICES", "2").set("HIP_VISIBLE_DEVICES", "5");
  const HipProbe probe = hip_probe();
  CHECK(probe.available);
  CHECK(probe.initialized);
  CHECK(!probe.simulated);
  CHECK(probe.error.empty());
  REQUIRE(probe.devices.size() == 2);
  CHECK(probe.devices[1].id == 1);
  CHECK(probe.devices[1].name == "Fake Instinct 1");
  CHECK(!probe.devices[1].multi_node);
  env.set("SPIRALTORCH_LIB_RCCL", SPIRALTORCH_FAKE_HIP);
  CHECK(hip_probe().devices[0].multi_node);
  env.set("FAKE_HIP_FAIL", "hipDeviceGetName:1");
  CHECK(hip_probe().devices[1].name == "hip:1");
}

TEST_CASE("the failing step of the HIP runtime is named") {
  Environment env;
  use_hip(env, SPIRALTORCH_FAKE_HIP);
  env.set("FAKE_HIP_FAIL", "hipInit:100");
  CHECK(hip_probe().error == "hipInit: hipErrorNoDevice (100)");
  CHECK(!hip_probe().initialized);
  CHECK(hip_probe().devices.empty());
  env.set("FAKE_HIP_FAIL", "hipGetDeviceCount:3");
  CHECK(hip_probe().error == "hipGetDeviceCount: hipErrorUnknown (3)");
  env.set("FAKE_HIP_FAIL").set("FAKE_HIP_DEVICES", "0");
  CHECK(hip_probe().error == "hipGetDeviceCount: no device");
  CHECK(describe_device("hip").error == "hipGetDeviceCount: no device");
  env.set("SPIRALTORCH_LIB_AMDHIP64", SPIRALTORCH_FAKE_HIP_NO_COUNT);
  CHECK(contains(hip_probe().error, "no symbol hipGetDeviceCount"));
  env.set("SPIRALTORCH_FORCE_HIP", "TRUE");
  CHECK(hip_probe().simulated);
  CHECK(!describe_device("hip").available);
}

TEST_CASE("the CPU describes itself") {
  const DeviceCaps caps = describe_device("CPU");
  CHECK(caps.device.is_cpu());
  CHECK(caps.available);
  CHECK(caps.queried);
  CHECK(!caps.subgroup);
  CHECK(caps.shared_bytes == 0);
  CHECK(caps.compute_units >= 1);
  CHECK(caps.libraries.empty());
  CHECK(caps.error.empty());
  CHECK(fingerprint(caps).size() == 16);
  CHECK(available_devices().front().is_cpu());
}

TEST_CASE("an absent device is described by its template, with the reason and its libraries") {
  Environment env;
  use_hip(env, kNowhere);
  for (const char* library :
       {"HIPRTC", "ROCBLAS", "CUDA", "NVRTC", "CUBLASLT", "NCCL", "WGPU_NATIVE"}) {
    env.set(std::string("SPIRALTORCH_LIB_") + library, kNowhere);
  }
  const auto check = [](const char* name, const char* canonical,
                        std::vector<std::string> expected) {
    CAPTURE(name);
    const DeviceCaps caps = describe_device(name);
    CHECK(to_text(caps.device) == canonical);
    CHECK(!caps.available);
    CHECK(!caps.queried);
    CHECK(!caps.error.empty());
    CHECK(caps.max_workgroup == template_caps(caps.device).max_workgroup);
    std::vector<std::string> names;
    for (const LibraryStatus& library : caps.libraries) {
      names.push_back(library.name);
      CHECK(!library.usable);
      CHECK(contains(library.text, kNowhere));
    }
    CHECK(names == expected);
  };
  const int warnings = warnings_of([&] {
    check("cuda:2", "cuda:2", {"libcuda", "libnvrtc", "libcublasLt", "libnccl"});
    check("hip", "hip", {"libamdhip64", "libhiprtc", "librocblas", "librccl"});
    check("wgpu:1", "wgpu:1", {"libwgpu_native"});
    check("mps", "wgpu", {"libwgpu_native"});
    CHECK(describe_device().device.is_cpu());
  });
  CHECK(warnings == 0);
}

TEST_CASE("a HIP device is described by its runtime") {
  Environment env;
  use_hip(env, SPIRALTORCH_FAKE_HIP, SPIRALTORCH_FAKE_HIP);
  env.set("FAKE_HIP_DEVICES", "2").set("SPIRALTORCH_LIB_HIPRTC", kNowhere);
  const DeviceCaps caps = describe_device("hip:1");
  CHECK(to_text(caps.device) == "hip:1");
  CHECK(caps.available);
  CHECK(caps.queried);
  CHECK(caps.error.empty());
  CHECK(caps.name == "Fake Instinct 1");
  CHECK(caps.driver == "driver 6.2.41134, runtime 6.3.42131");
  CHECK(caps.arch == "gfx90a");
  CHECK(caps.lane_width == 64);
  CHECK(caps.max_workgroup == 512);
  CHECK(caps.shared_bytes == 32768);
  CHECK(caps.compute_units == 104);
  CHECK(caps.cache_bytes == 8 << 20);
  CHECK(caps.memory_bytes == std::int64_t{64} << 30);
  REQUIRE(caps.libraries.size() == 4);
  CHECK(caps.libraries[0].text == "6.3.42131");
  CHECK(caps.libraries[1].usable);  // hipRTC's symbols inside the runtime, as in older ROCm
  CHECK(caps.libraries[1].text == "6.3");
  CHECK(caps.libraries[3].text == "2.21.5");
  CHECK(available_devices().back() == DeviceId{DeviceType::hip, 1});
  const DeviceCaps beyond = describe_device("hip:2");
  CHECK(!beyond.available);
  CHECK(beyond.error == "no device 2, 2 present");
}

TEST_CASE("a call of the HIP runtime that fails leaves the template's number") {
  Environment env;
  use_hip(env, SPIRALTORCH_FAKE_HIP);
  env.set("FAKE_HIP_FAIL",
          "hipDeviceGetAttribute:1,hipDeviceTotalMem:1,hipDriverGetVersion:1,"
          "hipRuntimeGetVersion:1,hipGetDevicePropertiesR0600:1");
  const DeviceCaps caps = describe_device("hip");
  const DeviceCaps expected = template_caps({DeviceType::hip, 0});
  CHECK(caps.available);
  CHECK(caps.queried);
  CHECK(caps.lane_width == expected.lane_width);
  CHECK(caps.max_workgroup == expected.max_workgroup);
  CHECK(caps.shared_bytes == expected.shared_bytes);
  CHECK(caps.compute_units == expected.compute_units);
  CHECK(caps.memory_bytes == 0);
  CHECK(caps.driver.empty());
  CHECK(caps.arch.empty());
}

TEST_CASE("SPIRALTORCH_DEVICE says what auto means, and nothing else") {
  Environment env;
  use_hip(env, kNowhere);
  env.set("SPIRALTORCH_DEVICE", "wgpu:2");
  const int warnings = warnings_of([] {
    CHECK(to_text(requested_device("test", "auto")) == "wgpu:2");
    CHECK(to_text(describe_device().device) == "wgpu:2");
    CHECK(describe_device("cpu").device.is_cpu());
    CHECK(resolve_device("test", "cpu").is_cpu());
  });
  CHECK(warnings == 0);
  check_error(Errc::device, [] { (void)resolve_device("test", "auto", true); });
  env.set("SPIRALTORCH_DEVICE", "auto");
  CHECK(describe_device().device.is_cpu());
  env.set("SPIRALTORCH_DEVICE", "");
  CHECK(describe_device().device.is_cpu());
  env.set("SPIRALTORCH_DEVICE", "tpu");
  check_error(Errc::invalid_value, [] { (void)describe_device(); });
  check_error(Errc::invalid_value, [] { (void)resolve_device("test", "auto"); });
  CHECK(resolve_device("test", "cpu").is_cpu());
}
