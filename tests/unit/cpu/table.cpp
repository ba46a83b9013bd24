#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "spiraltorch/runtime/backend.hpp"

using namespace spiraltorch;

TEST_CASE("every operation has a CPU kernel and a row in docs/kernels.md") {
  const BackendInfo* cpu = find_backend(DeviceType::cpu);
  REQUIRE(cpu != nullptr);
  std::ifstream file(std::string(SPIRALTORCH_SOURCE_DIR) + "/docs/kernels.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const OpInfo& op : kOps) {
    CAPTURE(std::string(op.name));
    CHECK(supports(*cpu, op.id));
    CHECK(text.str().find("`" + std::string(op.name) + "`") != std::string::npos);
  }
}
