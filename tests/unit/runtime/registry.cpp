#include <doctest/doctest.h>

#include <string>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

using namespace spiraltorch;

namespace {
int warnings = 0;
std::string last_warning;
void count_warning(std::string_view message) {
  ++warnings;
  last_warning = message;
}
}  // namespace

TEST_CASE("the CPU is always there") {
  REQUIRE(find_backend(DeviceType::cpu) != nullptr);
  CHECK(device_status({}).available);
  CHECK(device_status({DeviceType::cpu, 0}).reason.empty());
  const DeviceCaps info = find_backend(DeviceType::cpu)->driver->describe(0);
  CHECK(info.memory_bytes > 0);
  CHECK(info.lane_width >= 1);
  CHECK(!info.arch.empty());
}

TEST_CASE("an absent device becomes the CPU with one warning, or an error in strict mode") {
  const WarningHandler before = set_warning_handler(count_warning);
  warnings = 0;
  CHECK(resolve_device("test", "hip:7") == DeviceId{});
  CHECK(resolve_device("test", "hip:7") == DeviceId{});
  CHECK(warnings == 1);
  CHECK(last_warning.find("hip:7") != std::string::npos);
  CHECK(resolve_device("test", "auto").is_cpu());
  CHECK(warnings == 1);
  try {
    (void)resolve_device("test", "hip:7", true);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::device);
  }
  set_strict(true);
  CHECK_THROWS_AS((void)resolve_device("test", "hip:7"), Error);
  set_strict(false);
  set_warning_handler(before);
}
