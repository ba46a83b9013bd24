// The library and its adapters: each case needs a process of its own, because both are opened once.
#include "fake_device.hpp"
#include "spiraltorch/runtime/probe.hpp"

using namespace spiraltorch;
using namespace fake_wgpu;

namespace {

constexpr DeviceId kFirst{DeviceType::wgpu, 0};

// "wgpu" cannot be used, for a reason with these parts: one warning and the CPU, or an error.
void check_absent(const std::vector<std::string>& parts) {
  const DeviceStatus status = device_status(kFirst);
  CAPTURE(status.reason);
  CHECK(!status.available);
  for (const std::string& part : parts) CHECK_MESSAGE(contains(status.reason, part), part);
  const auto warnings = warnings_of([] {
    CHECK(resolve_device("test", "wgpu").is_cpu());
    CHECK(resolve_device("test", "wgpu").is_cpu());
    CHECK(resolve_device("test", "auto").is_cpu());
    CHECK(!describe_device("wgpu").available);
  });
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0], "'wgpu'"));
  CHECK(contains(warnings[0], status.reason));
  check_fails(Errc::device, {"'wgpu'", status.reason},
              [] { (void)resolve_device("test", "wgpu", true); });
  set_strict(true);
  check_fails(Errc::device, {"'wgpu'", status.reason},
              [] { (void)resolve_device("test", "wgpu"); });
  set_strict(false);
  check_fails(Errc::device, {status.reason}, [] { (void)Buffer::allocate(kFirst, 4); });
  const DeviceCaps caps = describe_device("wgpu");
  CHECK(!caps.queried);
  CHECK(caps.error == status.reason);
  CHECK(available_devices().size() == 1);
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const DeviceId device : available_devices()) {
    if (!device.is_cpu()) out.push_back(describe_device(device).name);
  }
  return out;
}

}  // namespace

// CTest runs these one by one (-ns -tc=...).
TEST_CASE("process: no library" * doctest::skip()) {
  use_fake("1", "/nonexistent/libwgpu_native.so");
  check_absent({"/nonexistent/libwgpu_native.so"});
  CHECK(!describe_device("wgpu").libraries.at(0).usable);
  use_fake("1");  // a library that comes later is found
  CHECK(device_status(kFirst).available);
}

TEST_CASE("process: a library without a version" * doctest::skip()) {
  use_fake("1", SPIRALTORCH_FAKE_HIP);
  check_absent({"libfake_hip", "wgpuGetVersion is missing"});
}

TEST_CASE("process: an older library" * doctest::skip()) {
  use_fake("1", SPIRALTORCH_FAKE_WGPU_OLD);
  check_absent({"libfake_wgpu_old", "got wgpu-native 22.1.0.0", "expected version 29"});
}

TEST_CASE("process: a library that lacks a function" * doctest::skip()) {
  use_fake("1", SPIRALTORCH_FAKE_WGPU_NO_EVENTS);
  check_absent({"libfake_wgpu_no_events", "wgpuInstanceProcessEvents is missing"});
}

TEST_CASE("process: no adapter" * doctest::skip()) {
  use_fake("0");
  check_absent({"no adapter"});
}

TEST_CASE("process: no instance" * doctest::skip()) {
  use_fake("1");
  FakeDevice::fail("CreateInstance", 0, "null", "");
  check_absent({"no adapter"});
}

TEST_CASE("process: software adapters only" * doctest::skip()) {
  use_fake("vulkan:software:Fake rasteriser;vulkan:software:Another");
  check_absent({"only a software adapter (Fake rasteriser)", "SPIRALTORCH_WGPU_SOFTWARE=1"});
}

TEST_CASE("process: software adapters count on demand" * doctest::skip()) {
  use_fake("vulkan:software:Fake rasteriser;vulkan:software:Another");
  setenv("SPIRALTORCH_WGPU_SOFTWARE", "1", 1);
  const auto warnings = warnings_of([] {
    CHECK(resolve_device("test", "auto") == kFirst);
    CHECK(to_text(resolve_device("test", "wgpu:1")) == "wgpu:1");
  });
  CHECK(warnings.empty());
  CHECK(names() == std::vector<std::string>{"Fake rasteriser", "Another"});
  CHECK(describe_device("wgpu").arch == "software");
}

TEST_CASE("process: hardware comes before software" * doctest::skip()) {
  use_fake(
      "vulkan:software:Rasteriser;d3d12:integrated:Small;vulkan:software:Slow;vulkan:discrete:Big");
  CHECK(names() == std::vector<std::string>{"Small", "Big", "Rasteriser", "Slow"});
  const DeviceCaps small = describe_device("wgpu");
  CHECK(small.arch == "integrated");
  CHECK(small.driver == "D3D12, fake driver 1.2; wgpu-native 29.0.0.1");
  CHECK(describe_device("wgpu:2").arch == "software");
  CHECK(resolve_device("test", "auto") == kFirst);
  const DeviceCaps beyond = describe_device("wgpu:4");
  CHECK(!beyond.available);
  CHECK(beyond.error == "no device 4, 4 present");
  check_fails(Errc::device, {"wgpu:4", "4 present"}, [] {
    (void)Buffer::allocate({DeviceType::wgpu, 4}, 4);
  });
}

TEST_CASE("process: an adapter on Metal" * doctest::skip()) {
  use_fake("vulkan:discrete:Other;metal:integrated:Fake M1");
  const auto is_metal = find_backend(DeviceType::wgpu)->driver->is_metal;
  REQUIRE((is_metal != nullptr));
  CHECK(!is_metal(0));
  CHECK(is_metal(1));
  CHECK(contains(describe_device("wgpu:1").driver, "Metal, "));
  const auto warnings = warnings_of([] {
    CHECK(to_text(requested_device("test", "mps")) == "wgpu:1");
    CHECK(to_text(resolve_device("test", "MPS", true)) == "wgpu:1");
    const DeviceCaps caps = describe_device("mps");
    CHECK(caps.available);
    CHECK(to_text(caps.device) == "wgpu:1");
    CHECK(caps.name == "Fake M1");
  });
  CHECK(warnings.empty());
}

TEST_CASE("process: no adapter on Metal" * doctest::skip()) {
  use_fake("2");
  const auto warnings = warnings_of([] {
    CHECK(resolve_device("test", "mps").is_cpu());
    CHECK(resolve_device("test", "mps").is_cpu());
    CHECK(resolve_device("test", "wgpu") == kFirst);
  });
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0], "'mps'"));
  CHECK(contains(warnings[0], "no Metal adapter"));
  check_fails(Errc::device, {"'mps'", "no Metal adapter"},
              [] { (void)resolve_device("test", "mps", true); });
  const DeviceCaps caps = describe_device("mps");
  CHECK(!caps.available);
  CHECK(!caps.queried);
  CHECK(caps.error == "no Metal adapter");
  CHECK(caps.libraries.at(0).usable);
}

TEST_CASE("process: subgroups are measured" * doctest::skip()) {
  use_fake("2");
  setenv("FAKE_WGPU_SUBGROUP", "8", 1);
  const DeviceCaps caps = describe_device("wgpu:1");
  CHECK(caps.available);
  CHECK(caps.queried);
  CHECK(caps.subgroup);
  CHECK(caps.lane_width == 8);
  CHECK(caps.max_workgroup == 512);
  CHECK(caps.shared_bytes == 32768);
  CHECK(caps.name == "Fake GPU 1");
  CHECK(caps.libraries.at(0).usable);
  CHECK(caps.libraries.at(0).text == "29.0.0.1");
  CHECK(fingerprint(caps) != fingerprint(template_caps(kFirst)));
}

TEST_CASE("process: no subgroups" * doctest::skip()) {
  use_fake("1");
  setenv("FAKE_WGPU_SUBGROUP", "0", 1);
  const DeviceCaps caps = describe_device("wgpu");
  CHECK(!caps.subgroup);
  CHECK(caps.lane_width == 1);
  CHECK(FakeDevice::uses("DeviceCreateShaderModuleTrusted") == 0);
}

TEST_CASE("process: shaders with bounds checks" * doctest::skip()) {
  setenv("SPIRALTORCH_WGPU_CHECKED", "1", 1);
  const FakeDevice device;
  const auto buffer = device.put({1, 2});
  FakeDevice::fill(*buffer, 0.0);
  CHECK(FakeDevice::get(*buffer) == Words{0, 0});
  CHECK(FakeDevice::uses("DeviceCreateShaderModule") == 2);
  CHECK(FakeDevice::uses("DeviceCreateShaderModuleTrusted") == 0);
}

TEST_CASE("process: workgroups are spread over three axes" * doctest::skip()) {
  use_fake("1");
  setenv("FAKE_WGPU_LIMITS", "groups=5", 1);
  const auto buffer = Buffer::allocate(kFirst, 110 * 4096 + 4);  // 111 workgroups, 5 * 5 * 5
  FakeDevice::fill(*buffer, 0.0);
  CHECK(FakeDevice::get(*buffer) == Words(110 * 1024 + 1, 0));
  CHECK(std::string(FAKE_WGPU(violations)()) == "");
}
