#pragma once

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../../fakes/wgpu/control.hpp"
#include "backend/wgpu/device.hpp"
#include "environment.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/warning.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

/// What the tests of failures share: a stand-in for wgpu-native (tests/fakes/wgpu).
namespace fake_wgpu {

using Words = std::vector<std::uint32_t>;

/// Limits of every fake adapter here: small, so that tests pass over them.
inline constexpr std::uint64_t kBinding = 1U << 20U;
inline constexpr std::uint64_t kBuffer = 70U << 20U;

/// A control function of the opened fake.
template <class Function>
Function* control(const char* name) {
  static void* const library = dlopen(SPIRALTORCH_FAKE_WGPU, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  auto* found = reinterpret_cast<Function*>(dlsym(library, name));
  REQUIRE((found != nullptr));
  return found;
}
#define FAKE_WGPU(name) fake_wgpu::control<decltype(fake_wgpu_##name)>("fake_wgpu_" #name)

inline bool contains(const std::string& s, const std::string& part) {
  return s.find(part) != std::string::npos;
}

/// Calls `f` and checks that it throws `code` with a message that has all `parts`.
template <class F>
void check_fails(spiraltorch::Errc code, const std::vector<std::string>& parts, F&& f) {
  try {
    f();
  } catch (const spiraltorch::Error& e) {
    const std::string what = e.what();
    CAPTURE(what);
    CHECK(spiraltorch::errc_name(e.code()) == spiraltorch::errc_name(code));
    for (const std::string& part : parts) CHECK_MESSAGE(contains(what, part), part);
    return;
  }
  FAIL_CHECK("nothing thrown, expected ", std::string(spiraltorch::errc_name(code)));
}

/// The warnings that `f` gives.
template <class F>
std::vector<std::string> warnings_of(F&& f) {
  static std::vector<std::string> given;
  given.clear();
  const auto before =
      spiraltorch::set_warning_handler([](std::string_view w) { given.emplace_back(w); });
  f();
  spiraltorch::set_warning_handler(before);
  return given;
}

/// Makes the fake the process's library, with adapters as said. At the start of a process only.
inline void use_fake(const char* adapters, const char* library = SPIRALTORCH_FAKE_WGPU) {
  setenv("SPIRALTORCH_LIB_WGPU_NATIVE", library, 1);
  setenv("FAKE_WGPU_ADAPTERS", adapters, 1);
  setenv("FAKE_WGPU_LIMITS",
         ("binding=" + std::to_string(kBinding) + ";buffer=" + std::to_string(kBuffer)).c_str(), 1);
  for (const char* name : {"FAKE_WGPU_FAIL", "FAKE_WGPU_SUBGROUP", "SPIRALTORCH_WGPU_SOFTWARE",
                           "SPIRALTORCH_STRICT", "SPIRALTORCH_DEVICE"}) {
    unsetenv(name);
  }
}

/// A device that no other test has touched: what a test does to it cannot be undone.
class FakeDevice {
 public:
  FakeDevice() {
    static int next = 0;
    if (next == 0) use_fake("64");
    id = {spiraltorch::DeviceType::wgpu, next++};
  }
  ~FakeDevice() {
    FAKE_WGPU(forgive)();
    CHECK(std::string(FAKE_WGPU(violations)()) == "");
  }
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  [[nodiscard]] std::shared_ptr<spiraltorch::Buffer> room(std::size_t bytes) const {
    return spiraltorch::Buffer::allocate(id, bytes);
  }
  [[nodiscard]] std::shared_ptr<spiraltorch::Buffer> put(const Words& words) const {
    auto buffer = room(words.size() * 4);
    spiraltorch::upload(*buffer, 0, words.data(), words.size() * 4);
    return buffer;
  }
  [[nodiscard]] static Words get(const spiraltorch::Buffer& buffer) {
    Words words(buffer.bytes() / 4);
    spiraltorch::download(buffer, 0, words.data(), words.size() * 4);
    return words;
  }

  /// Fills with a number: the fake does the work at the submission.
  static void fill(spiraltorch::Buffer& buffer, double value) {
    const auto out = whole(buffer);
    const spiraltorch::KernelOperand outs[] = {out};
    const double scalars[] = {value};
    spiraltorch::launch(spiraltorch::OpId::fill, {{}, outs, scalars, {}});
  }
  /// An operation of one operand that the fake records only.
  static void unary(spiraltorch::OpId op, spiraltorch::Buffer& in, spiraltorch::Buffer& out) {
    const spiraltorch::KernelOperand ins[] = {whole(in)};
    const spiraltorch::KernelOperand outs[] = {whole(out)};
    spiraltorch::launch(op, {ins, outs, {}, {}});
  }
  static spiraltorch::KernelOperand whole(spiraltorch::Buffer& buffer) {
    return spiraltorch::operand(buffer, {1, static_cast<std::int64_t>(buffer.bytes() / 4)});
  }
  static const spiraltorch::wgpu::Block& block(const spiraltorch::Buffer& buffer) {
    return *static_cast<const spiraltorch::wgpu::Block*>(buffer.native());
  }

  void synchronize() const { spiraltorch::synchronize(id); }
  [[nodiscard]] std::string name() const { return spiraltorch::to_text(id); }
  [[nodiscard]] int submissions() const { return FAKE_WGPU(submissions)(id.index); }
  [[nodiscard]] std::string submission(int i) const { return FAKE_WGPU(submission)(id.index, i); }
  [[nodiscard]] int buffers() const { return FAKE_WGPU(buffers)(id.index); }
  static void fail(const char* call, int nth, const char* kind, const char* message) {
    FAKE_WGPU(fail)(call, nth, kind, message);
  }
  static int uses(const char* call) { return FAKE_WGPU(uses)(call); }
  void lose(const char* message) const { FAKE_WGPU(lose)(id.index, message); }
  void error(const char* message) const { FAKE_WGPU(error)(id.index, message); }

  spiraltorch::DeviceId id;
};

}  // namespace fake_wgpu
