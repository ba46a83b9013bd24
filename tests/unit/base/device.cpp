#include "spiraltorch/base/device.hpp"

#include <doctest/doctest.h>

#include "spiraltorch/base/error.hpp"

using namespace spiraltorch;

TEST_CASE("device strings") {
  CHECK(parse_device("test", "cpu").device == DeviceId{});
  CHECK(parse_device("test", "CUDA:12").device == DeviceId{DeviceType::cuda, 12});
  CHECK(parse_device("test", "mps").is_metal);
  CHECK(parse_device("test", "Auto").is_auto);
  CHECK(to_text(DeviceId{DeviceType::hip, 3}) == "hip:3");
  CHECK(to_text(DeviceId{DeviceType::wgpu, 0}) == "wgpu");
}

TEST_CASE("malformed device strings are refused with the valid forms") {
  for (const char* bad : {"", "gpu", "cpu:0", "mps:1", "cuda:", "cuda:01", "cuda:1000", "cuda:-1",
                          " cuda", "wgpu:x", "auto:0"}) {
    CAPTURE(bad);
    try {
      (void)parse_device("test", bad);
      FAIL("accepted");
    } catch (const Error& e) {
      CHECK(e.code() == Errc::invalid_value);
      CHECK(std::string(e.what()).find("cuda[:N]") != std::string::npos);
    }
  }
}
