// Memory, batches and copies, as the fake device sees them.
#include <algorithm>
#include <atomic>
#include <bit>
#include <numeric>
#include <thread>

#include "backend/wgpu/memory.hpp"
#include "fake_device.hpp"

using namespace spiraltorch;
using namespace fake_wgpu;

namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

Words counting(std::size_t count) {
  Words words(count);
  std::iota(words.begin(), words.end(), 1U);
  return words;
}

std::size_t commas(const std::string& s) {
  return static_cast<std::size_t>(std::count(s.begin(), s.end(), ','));
}

}  // namespace

TEST_CASE("size classes") {
  CHECK(wgpu::size_class(0) == 256);
  CHECK(wgpu::size_class(1) == 256);
  CHECK(wgpu::size_class(257) == 512);
  CHECK(wgpu::size_class(4096) == 4096);
  CHECK(wgpu::size_class(4097) == 4608);
  CHECK(wgpu::size_class(kMiB + 1) == kMiB + kMiB / 8);
  for (std::uint64_t bytes = 1; bytes < 100 * kMiB; bytes = bytes * 9 / 8 + 3) {
    const std::uint64_t size = wgpu::size_class(bytes);
    CHECK(size >= bytes);
    CHECK(size % 256 == 0);
    CHECK(size <= std::max<std::uint64_t>(bytes + 256, bytes + bytes / 8 + 1));
    CHECK(wgpu::size_class(size) == size);
  }
}

TEST_CASE_FIXTURE(FakeDevice, "blocks are aligned, apart and used again") {
  auto first = room(1000);
  const auto second = room(1000);
  CHECK(block(*first).offset % 256 == 0);
  CHECK(block(*second).offset % 256 == 0);
  CHECK(block(*first).buffer == block(*second).buffer);  // both cut from one
  CHECK(block(*second).offset >= block(*first).offset + 1000);
  const auto* old = &block(*first);
  first.reset();
  CHECK(&block(*room(1024)) == old);  // of the same class
  const auto third = room(2000);      // of another
  CHECK(&block(*third) != old);
  auto large = room(3 * kMiB);
  CHECK(block(*large).offset == 0);
  const auto* large_block = &block(*large);
  const int before = buffers();
  large.reset();
  large = room(3 * kMiB - 100);
  CHECK(&block(*large) == large_block);
  CHECK(buffers() == before);
}

TEST_CASE_FIXTURE(FakeDevice, "a block is used again while work on it is pending") {
  auto first = put(counting(100));
  const auto kept = put(counting(100));
  copy_bytes(*first, 0, *kept, 0, 400);  // recorded only
  const auto* old = &block(*first);
  const int before = submissions();
  first.reset();
  const auto next = put(Words(100, 7));
  CHECK(&block(*next) == old);
  CHECK(submissions() == before + 1);  // the copy went ahead of the new words
  CHECK(get(*kept) == counting(100));
  CHECK(get(*next) == Words(100, 7));
}

TEST_CASE_FIXTURE(FakeDevice, "a buffer over the adapter's limit") {
  const auto kept = put(counting(10));
  const int calls = uses("DeviceCreateBuffer");
  check_fails(Errc::out_of_memory,
              {name(), "got " + std::to_string(kBuffer + 4), "at most " + std::to_string(kBuffer)},
              [&] { (void)room(kBuffer + 4); });
  CHECK(uses("DeviceCreateBuffer") == calls);
  CHECK(get(*kept) == counting(10));
  CHECK(room(kBuffer) != nullptr);
  CHECK(room(kBuffer - 4) != nullptr);  // a size class may not pass the limit
  CHECK(room(kBuffer - 3 * kMiB) != nullptr);
}

TEST_CASE_FIXTURE(FakeDevice, "without memory the pool is given back, once") {
  const auto used = put(Words(kMiB / 2, 5));
  const auto small = put(counting(10));
  CHECK(get(*used) == Words(kMiB / 2, 5));
  auto pooled = room(2 * kMiB);
  fill(*pooled, 1.0);  // pending: must have ended before its buffer goes
  pooled.reset();
  const int alive = buffers();
  int calls = uses("DeviceCreateBuffer");
  fail("DeviceCreateBuffer", 1, "memory", "no room");
  const auto got = room(4 * kMiB);
  CHECK(uses("DeviceCreateBuffer") == calls + 2);
  CHECK(buffers() == alive);  // one given back, one new

  calls = uses("DeviceCreateBuffer");
  fail("DeviceCreateBuffer", 1, "memory", "no room");
  fail("DeviceCreateBuffer", 2, "memory", "still no room");
  check_fails(Errc::out_of_memory, {name(), std::to_string(5 * kMiB), "still no room"},
              [&] { (void)room(5 * kMiB); });
  CHECK(uses("DeviceCreateBuffer") == calls + 2);
  CHECK(get(*used) == Words(kMiB / 2, 5));
  CHECK(get(*small) == counting(10));
  CHECK(room(5 * kMiB) != nullptr);
}

TEST_CASE_FIXTURE(FakeDevice, "the pool gives back buffers of small blocks too") {
  std::vector<std::shared_ptr<Buffer>> all;
  all.push_back(room(4));
  const int alive = buffers();
  for (int i = 0; i < 39; ++i) all.push_back(room(kMiB / 2));
  CHECK(buffers() == alive + 2);
  fill(*all[39], 3.0);
  all.erase(all.begin(), all.begin() + 39);
  fail("DeviceCreateBuffer", 1, "memory", "full");
  const auto large = room(2 * kMiB);
  CHECK(buffers() == alive + 1);  // but for that of the block in use
  CHECK(get(*all[0]) == Words(kMiB / 8, std::bit_cast<std::uint32_t>(3.0F)));
  for (int i = 0; i < 40; ++i) all.push_back(put(Words(kMiB / 8, 4)));
  CHECK(get(*all[0]) == Words(kMiB / 8, std::bit_cast<std::uint32_t>(3.0F)));
  CHECK(get(*all[40]) == Words(kMiB / 8, 4));
  all.clear();  // now the buffer that small blocks are cut from goes too
  fail("DeviceCreateBuffer", 1, "memory", "full");
  const auto larger = room(3 * kMiB);
  CHECK(buffers() == alive + 2 - 1);  // two large ones, and not the first small one
  const int calls = uses("DeviceCreateBuffer");
  const auto small = put(counting(10));
  CHECK(uses("DeviceCreateBuffer") == calls + 1);
  CHECK(get(*small) == counting(10));
}

TEST_CASE_FIXTURE(FakeDevice, "no memory for buffers of small blocks, and no buffer at all") {
  std::vector<std::shared_ptr<Buffer>> all;
  all.push_back(room(4));
  fail("DeviceCreateBuffer", 0, "memory", "full");
  const auto fill_up = [&] {
    for (int i = 0; i < 40; ++i) all.push_back(room(kMiB / 2));
  };
  check_fails(Errc::out_of_memory, {name(), "full"}, fill_up);
  CHECK(all.size() > 1);  // what the first buffer had room for
  FAKE_WGPU(forgive)();
  fail("DeviceCreateBuffer", 0, "null", "");
  check_fails(Errc::out_of_memory, {name(), "no buffer"}, fill_up);
  FAKE_WGPU(forgive)();
  fill_up();
}

TEST_CASE_FIXTURE(FakeDevice, "without memory to read through") {
  const auto buffer = put(counting(1000));
  auto pooled = room(2 * kMiB);
  pooled.reset();
  fail("DeviceCreateBuffer", 1, "memory", "no room");
  CHECK(get(*buffer) == counting(1000));  // the pool made room
  const auto large = put(counting(kMiB));
  fail("DeviceCreateBuffer", 1, "memory", "no room");
  fail("DeviceCreateBuffer", 2, "memory", "still no room");
  check_fails(Errc::out_of_memory, {"[download]", name(), "still no room"},
              [&] { (void)get(*large); });
  CHECK(get(*large) == counting(kMiB));
  CHECK(get(*buffer) == counting(1000));
}

TEST_CASE_FIXTURE(FakeDevice, "dispatches are submitted together") {
  const auto a = put(counting(10));
  const auto b = put(counting(10));
  const int before = submissions();
  for (int i = 0; i < 5; ++i) unary(OpId::exp, *a, *b);
  fill(*a, 1.0);
  CHECK(submissions() == before);
  (void)get(*b);
  REQUIRE(submissions() == before + 1);
  CHECK(submission(before) == "exp,exp,exp,exp,exp,fill");
  for (int i = 0; i < 300; ++i) unary(OpId::exp, *a, *b);
  REQUIRE(submissions() == before + 3);
  CHECK(commas(submission(before + 1)) == 127);
  CHECK(commas(submission(before + 2)) == 127);
  synchronize();
  REQUIRE(submissions() == before + 4);
  CHECK(commas(submission(before + 3)) == 43);
  synchronize();  // nothing is left to submit
  CHECK(submissions() == before + 4);
}

TEST_CASE_FIXTURE(FakeDevice, "each dispatch of a batch has its own parameters") {
  std::vector<std::shared_ptr<Buffer>> all;
  for (int i = 0; i < 130; ++i) {
    all.push_back(room(64));
    fill(*all.back(), i);
  }
  for (int i = 0; i < 130; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i));
    CHECK(get(*all[static_cast<std::size_t>(i)]) == Words(16, bits));
  }
}

TEST_CASE_FIXTURE(FakeDevice, "more bind groups than are kept") {
  std::vector<std::shared_ptr<Buffer>> all;
  const int released = uses("BindGroupRelease");
  for (int i = 0; i < 8300; ++i) {
    all.push_back(room(4));
    fill(*all.back(), i);
  }
  CHECK(uses("BindGroupRelease") - released == 8192);
  for (const int i : {0, 8190, 8191, 8192, 8299}) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(i));
    CHECK(get(*all[static_cast<std::size_t>(i)]) == Words{bits});
  }
}

TEST_CASE_FIXTURE(FakeDevice,
                  "a write waits for the work that uses its buffer, and only for that") {
  const auto a = put(counting(10));
  const auto b = put(counting(10));
  const auto c = put(counting(10));
  copy_bytes(*a, 0, *b, 0, 40);
  const int before = submissions();
  const Words sevens(10, 7);
  upload(*c, 0, sevens.data(), 40);  // not in use
  CHECK(submissions() == before);
  upload(*a, 0, sevens.data(), 40);
  CHECK(submissions() == before + 1);
  CHECK(get(*b) == counting(10));
  CHECK(get(*a) == sevens);
  upload(*b, 8, sevens.data(), 8);
  CHECK(get(*b) == Words{1, 2, 7, 7, 5, 6, 7, 8, 9, 10});
}

TEST_CASE_FIXTURE(FakeDevice, "writes without work are submitted before they pile up") {
  const Words words(64 * kMiB / 4, 7);
  const auto large = put(words);
  const auto a = put(counting(10));
  const auto b = put(counting(10));
  copy_bytes(*a, 0, *b, 0, 40);  // recorded: stays so
  const int before = submissions();
  for (int i = 0; i < 2; ++i) upload(*large, 0, words.data(), words.size() * 4);
  CHECK(submissions() == before);
  for (int i = 0; i < 4; ++i) upload(*large, 0, words.data(), words.size() * 4);
  REQUIRE(submissions() == before + 1);
  CHECK(submission(before) == "");
  fail("QueueSubmitForIndex", 1, "validation", "refused");
  const auto two = [&] {
    for (int i = 0; i < 2; ++i) upload(*large, 0, words.data(), words.size() * 4);
  };
  check_fails(Errc::device, {"[upload]", "refused"}, two);
  CHECK(get(*large) == words);
  CHECK(submission(submissions() - 1) == "copy");
}

TEST_CASE_FIXTURE(FakeDevice, "threads share a device") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto buffer = put(Words(100, 9));
        fill(*buffer, 1000 * t + i);
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(1000 * t + i));
        if (get(*buffer) != Words(100, bits)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE_FIXTURE(FakeDevice, "copies over several bindings and at any offset") {
  const std::size_t count = 5 * kBinding / 8;
  const auto from = put(counting(count));
  const auto to = put(Words(count + 3, 0));
  copy_bytes(*from, 4, *to, 12, (count - 1) * 4);
  Words expected(count + 3, 0);
  for (std::size_t i = 0; i + 1 < count; ++i) expected[i + 3] = static_cast<std::uint32_t>(i + 2);
  CHECK(get(*to) == expected);
}

TEST_CASE_FIXTURE(FakeDevice, "reads larger than the staging buffer arrive whole") {
  const std::size_t count = (65 * kMiB + 12) / 4;
  const auto large = put(counting(count));
  CHECK(get(*large) == counting(count));
  Words tail(5);
  download(*large, (count - 5) * 4, tail.data(), 20);
  CHECK(tail.back() == count);
  CHECK(tail.front() == count - 4);
}
