#include "spiraltorch/runtime/buffer.hpp"

#include <doctest/doctest.h>

#include <array>

#include "spiraltorch/base/error.hpp"

using namespace spiraltorch;

TEST_CASE("bytes go in and out of a buffer") {
  const auto buffer = Buffer::allocate({}, 64);
  const std::array<float, 4> in{1, 2, 3, 4};
  upload(*buffer, 8, in.data(), sizeof in);
  std::array<float, 4> out{};
  download(*buffer, 8, out.data(), sizeof out);
  CHECK(in == out);
  const auto other = Buffer::allocate({}, 64);
  copy_bytes(*buffer, 8, *other, 0, 16);
  CHECK(static_cast<float*>(host_view(*other))[3] == 4.0F);
}

TEST_CASE("a large block is reused after its release and is aligned") {
  void* first = Buffer::allocate({}, std::size_t{5} << 20)->native();
  const auto second = Buffer::allocate({}, std::size_t{5} << 20);
  CHECK(second->native() == first);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
}

TEST_CASE("sizes beyond the machine's memory are refused") {
  try {
    (void)Buffer::allocate({}, std::size_t{1} << 50);
    FAIL("allocated");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::out_of_memory);
  }
}

TEST_CASE("a buffer of a device without a back end is refused") {
  try {
    (void)Buffer::allocate({DeviceType::hip, 0}, 4);
    FAIL("allocated");
  } catch (const Error& e) {
    CHECK(e.code() == Errc::device);
  }
}

TEST_CASE("adopted memory keeps its owner until the buffer dies") {
  auto owner = std::make_shared<std::array<float, 2>>();
  const std::weak_ptr<std::array<float, 2>> watch = owner;
  {
    const auto buffer = Buffer::adopt_host(owner->data(), 8, owner);
    owner.reset();
    CHECK(!watch.expired());
  }
  CHECK(watch.expired());
}
