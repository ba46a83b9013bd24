#include "conformance.hpp"

// Every operation of the table has a kernel here but one: embed_pools is sequential by nature, and
// embeddings train in batches (embed_train) on devices.
TEST_CASE("the op table is complete on WebGPU") {
  using namespace spiraltorch;
  const BackendInfo* backend = find_backend(DeviceType::wgpu);
  REQUIRE(backend != nullptr);
  for (const OpInfo& op : kOps) {
    CAPTURE(std::string(op.name));
    CHECK(supports(*backend, op.id) == (op.id != OpId::embed_pools));
  }
}
