// Failures of an opened device. Every test has a device of its own, on a fake adapter.
#include <sys/wait.h>
#include <unistd.h>

#include <bit>

#include "fake_device.hpp"
#include "spiraltorch/runtime/probe.hpp"

using namespace spiraltorch;
using namespace fake_wgpu;

namespace {

constexpr const char* kModule = "DeviceCreateShaderModuleTrusted";
const Words kWords{1, 2, 3, 4, 5};

Words ones(std::size_t count) { return Words(count, std::bit_cast<std::uint32_t>(1.0F)); }

}  // namespace

TEST_CASE_FIXTURE(FakeDevice, "a device that cannot be opened") {
  fail("AdapterRequestDevice", 1, "validation", "the driver is asleep");
  check_fails(Errc::device, {name(), "Fake GPU", "cannot be opened", "the driver is asleep"},
              [&] { (void)room(4); });
  CHECK(get(*put(kWords)) == kWords);  // a failure is tried anew
}

TEST_CASE_FIXTURE(FakeDevice,
                  "a device that cannot be opened, or is lost, is described by its template") {
  fail("AdapterRequestDevice", 1, "validation", "the driver is asleep");
  DeviceCaps caps = describe_device(id);
  CHECK(!caps.available);
  CHECK(!caps.queried);
  CHECK(contains(caps.error, "the driver is asleep"));
  CHECK(caps.max_workgroup == template_caps(id).max_workgroup);
  CHECK(describe_device(id).available);
  error("pending");
  caps = describe_device(id);
  CHECK(caps.available);
  CHECK(caps.error.empty());
  check_fails(Errc::device, {"pending"}, [&] { synchronize(); });  // describing has left it
  lose("unplugged");
  caps = describe_device(id);
  CHECK(!caps.available);
  CHECK(contains(caps.error, "unplugged"));
}

TEST_CASE_FIXTURE(FakeDevice, "a device whose first kernel fails is not opened") {
  fail(kModule, 1, "validation", "no such builtin");
  check_fails(Errc::device, {name(), "subgroup_size", "no such builtin"}, [&] { (void)room(4); });
  CHECK(get(*put(kWords)) == kWords);
  error("late");  // to the device that is open now
  check_fails(Errc::device, {"late"}, [&] { synchronize(); });
}

TEST_CASE_FIXTURE(FakeDevice, "a shader that does not compile") {
  const auto buffer = put(kWords);
  const auto other = put(kWords);
  const int before = submissions();
  fail(kModule, 1, "validation", "error: unknown identifier 'x' at 3:7");
  check_fails(Errc::device,
              {"[fill]", "does not compile", name(), "Fake GPU", "unknown identifier 'x' at 3:7"},
              [&] { fill(*buffer, 1.0); });
  fail("DeviceCreateComputePipeline", 1, "validation", "too many registers");
  check_fails(Errc::device, {"[exp]", "does not compile", "too many registers"},
              [&] { unary(OpId::exp, *buffer, *other); });
  CHECK(get(*buffer) == kWords);
  CHECK(get(*other) == kWords);
  for (int i = before; i < submissions(); ++i) CHECK(submission(i) == "");
  fill(*buffer, 1.0);  // compiled anew
  unary(OpId::exp, *buffer, *other);
  CHECK(get(*buffer) == ones(5));
}

TEST_CASE_FIXTURE(FakeDevice, "a shader module or pipeline that is not made at all") {
  const auto buffer = put(kWords);
  fail(kModule, 1, "null", "");
  check_fails(Errc::device, {"[fill]", "does not compile", "no reason given"},
              [&] { fill(*buffer, 1.0); });
  fail("DeviceCreateComputePipeline", 1, "null", "");
  check_fails(Errc::device, {"[fill]", "does not compile"}, [&] { fill(*buffer, 1.0); });
  fail("DeviceCreateComputePipeline", 1, "uncaptured", "the driver's compiler crashed");
  check_fails(Errc::device, {"[fill]", "does not compile", "compiler crashed"},
              [&] { fill(*buffer, 1.0); });
  fill(*buffer, 1.0);
  CHECK(get(*buffer) == ones(5));
}

TEST_CASE_FIXTURE(FakeDevice, "a submission that is refused names its kernels") {
  const auto buffer = put(kWords);
  const auto other = put(kWords);
  fill(*buffer, 1.0);
  unary(OpId::exp, *buffer, *other);
  fail("QueueSubmitForIndex", 1, "validation", "usage conflict");
  check_fails(Errc::device, {name(), "usage conflict", "fill, exp"}, [&] { synchronize(); });
  CHECK(get(*buffer) == kWords);
  synchronize();
  fail("CommandEncoderFinish", 1, "validation", "bad encoder");
  fill(*buffer, 2.0);
  check_fails(Errc::device, {"bad encoder", "fill"}, [&] { (void)get(*buffer); });
  CHECK(get(*buffer) == kWords);
  fill(*buffer, 2.0);
  fail("QueueSubmitForIndex", 1, "uncaptured", "driver's own");
  check_fails(Errc::device, {"driver's own", "fill"}, [&] { synchronize(); });
  synchronize();  // raised once
  fail("QueueSubmitForIndex", 1, "memory", "no command memory");
  fill(*buffer, 2.0);
  check_fails(Errc::device, {"no command memory", "fill"}, [&] { synchronize(); });
  CHECK(get(*buffer) == kWords);
  for (int i = 1; i < 128; ++i) unary(OpId::exp, *other, *other);
  fail("QueueSubmitForIndex", 1, "validation", "full batch");
  check_fails(Errc::device, {"full batch", "exp, exp"}, [&] { fill(*buffer, 2.0); });
  CHECK(get(*buffer) == kWords);
  for (int i = 0; i < 20; ++i) {  // more than may be in flight
    fill(*buffer, 1.0);
    if (i == 3) fail("QueueSubmitForIndex", 1, "validation", "once more");
    const std::uint32_t word = 7;
    const auto put_word = [&] { upload(*buffer, 0, &word, 4); };  // submits what uses the buffer
    i == 3 ? check_fails(Errc::device, {"once more"}, put_word) : put_word();
  }
  synchronize();
}

TEST_CASE_FIXTURE(FakeDevice, "a bind group that is refused") {
  const auto buffer = put(kWords);
  fail("DeviceCreateBindGroup", 1, "validation", "too large a binding");
  check_fails(Errc::device, {name(), "too large a binding"}, [&] { fill(*buffer, 1.0); });
  fail("DeviceCreateBindGroup", 1, "null", "");
  check_fails(Errc::device, {name()}, [&] { fill(*buffer, 1.0); });
  CHECK(get(*buffer) == kWords);
  fill(*buffer, 1.0);
  CHECK(get(*buffer) == ones(5));
}

TEST_CASE_FIXTURE(FakeDevice, "a device lost in mid-run") {
  const auto host = Buffer::allocate(DeviceId{}, 20);
  upload(*host, 0, kWords.data(), 20);
  auto buffer = put(kWords);
  fill(*buffer, 1.0);
  fail("QueueSubmitForIndex", 1, "lost", "the driver was reset");
  Words out(5, 9);
  const std::vector<std::string> reason{name(), "is lost", "the driver was reset"};
  check_fails(Errc::device, reason, [&] { download(*buffer, 0, out.data(), 20); });
  CHECK(out == Words(5, 9));
  const int calls = uses("DevicePoll") + uses("QueueWriteBuffer") + uses("DeviceCreateBuffer");
  check_fails(Errc::device, reason, [&] { (void)room(4); });
  check_fails(Errc::device, reason, [&] { upload(*buffer, 0, kWords.data(), 20); });
  check_fails(Errc::device, reason, [&] { download(*buffer, 0, out.data(), 20); });
  check_fails(Errc::device, reason, [&] { fill(*buffer, 1.0); });
  check_fails(Errc::device, reason, [&] { copy_bytes(*buffer, 0, *buffer, 0, 4); });
  check_fails(Errc::device, reason, [&] { synchronize(); });
  CHECK(uses("DevicePoll") + uses("QueueWriteBuffer") + uses("DeviceCreateBuffer") == calls);
  CHECK(get(*host) == kWords);
  buffer.reset();  // nothing happens
  const FakeDevice another;
  CHECK(get(*another.put(kWords)) == kWords);  // others go on
}

TEST_CASE_FIXTURE(FakeDevice, "a device lost while it is opened") {
  fail("QueueSubmitForIndex", 1, "lost", "gone at once");
  for (int i = 0; i < 2; ++i) {
    check_fails(Errc::device, {name(), "is lost", "gone at once"}, [&] { (void)room(4); });
  }
}

TEST_CASE_FIXTURE(FakeDevice, "a device lost between calls, for no reason") {
  const auto buffer = put(kWords);
  fill(*buffer, 1.0);
  error("an error that the loss outweighs");
  lose("");
  for (int i = 0; i < 2; ++i) {
    check_fails(Errc::device, {"is lost", "no reason given"}, [&] { fill(*buffer, 1.0); });
  }
}

TEST_CASE_FIXTURE(FakeDevice, "a device lost while the host waits") {
  const auto buffer = put(kWords);
  fail("BufferMapAsync", 1, "lost", "fell off the bus");
  check_fails(Errc::device, {"is lost", "fell off the bus"}, [&] { (void)get(*buffer); });
}

TEST_CASE_FIXTURE(FakeDevice, "a device lost while it compiles or allocates") {
  const auto buffer = put(kWords);
  fail(kModule, 1, "lost", "hung");
  check_fails(Errc::device, {"is lost", "hung"}, [&] { fill(*buffer, 1.0); });
  const FakeDevice another;
  (void)another.room(4);
  fail("DeviceCreateBuffer", 1, "lost", "hung too");
  check_fails(Errc::device, {"is lost", "hung too"}, [&] { (void)another.room(2 << 20); });
}

TEST_CASE_FIXTURE(FakeDevice, "a map that fails, or is never answered") {
  const auto buffer = put(kWords);
  fail("BufferMapAsync", 1, "validation", "mapped already");
  check_fails(Errc::device, {"[download]", name(), "mapped already"}, [&] { (void)get(*buffer); });
  CHECK(get(*buffer) == kWords);
  fail("BufferMapAsync", 1, "null", "");
  check_fails(Errc::device, {"[download]", "no answer"}, [&] { (void)get(*buffer); });
  CHECK(get(*buffer) == kWords);
  fail("BufferGetConstMappedRange", 1, "null", "");
  check_fails(Errc::device, {"[download]", "empty"}, [&] { (void)get(*buffer); });
  CHECK(get(*buffer) == kWords);
}

TEST_CASE_FIXTURE(FakeDevice, "an error outside of any call is raised once") {
  const auto buffer = put(kWords);
  error("out of descriptors");
  error("a second one");  // the first tells the cause
  check_fails(Errc::device, {name(), "out of descriptors"}, [&] { fill(*buffer, 1.0); });
  fill(*buffer, 1.0);
  CHECK(get(*buffer) == ones(5));
  fail("QueueWriteBuffer", 1, "uncaptured", "write refused");
  check_fails(Errc::device, {"[upload]", "write refused"},
              [&] { upload(*buffer, 0, kWords.data(), 20); });
  fail("DevicePoll", 1, "uncaptured", "found by the poll");
  check_fails(Errc::device, {"found by the poll"}, [&] { synchronize(); });
  synchronize();
  CHECK(get(*buffer) == ones(5));
}

TEST_CASE_FIXTURE(FakeDevice, "an operand over the binding limit") {
  const auto left = put(Words(kBinding / 4 + 4, 3));
  const auto right = put(kWords);
  const auto result = put(Words(kBinding / 4 + 4, 5));
  const std::int64_t rows = kBinding / 4 + 4;
  const KernelOperand in[] = {operand(*left, {rows, 1}), operand(*right, {1, 1})};
  const KernelOperand out[] = {operand(*result, {rows, 1})};
  const std::int64_t flags[] = {0, 0, 0};
  check_fails(Errc::unsupported,
              {"[matmul]", name(), "got " + std::to_string(kBinding + 16) + " bytes",
               "at most " + std::to_string(kBinding)},
              [&] {
                launch(OpId::matmul, {in, out, {}, flags});
              });
  CHECK(get(*left) == Words(kBinding / 4 + 4, 3));
  CHECK(get(*result) == Words(kBinding / 4 + 4, 5));
  fill(*result, 1.0);  // one that is bound piece by piece
  CHECK(get(*result) == ones(kBinding / 4 + 4));
}

TEST_CASE_FIXTURE(FakeDevice, "a forked child") {
  const auto buffer = put(kWords);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int refused = 0;
    const auto count = [&](auto&& f) {
      try {
        f();
      } catch (const Error& e) {
        refused += e.code() == Errc::device && contains(e.what(), "forked") ? 1 : 0;
      }
    };
    Words out(5);
    count([&] { (void)room(4); });
    count([&] { download(*buffer, 0, out.data(), 20); });
    count([&] { upload(*buffer, 0, out.data(), 20); });
    count([&] { fill(*buffer, 1.0); });
    count([&] { synchronize(); });
    const_cast<std::shared_ptr<Buffer>&>(buffer).reset();  // releasing is harmless
    _exit(refused);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
  CHECK(get(*buffer) == kWords);
}
