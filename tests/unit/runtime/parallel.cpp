#include "spiraltorch/runtime/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "spiraltorch/base/error.hpp"

using namespace spiraltorch;

namespace {
struct Threads {
  explicit Threads(int n) : before(thread_count()) { set_thread_count(n); }
  ~Threads() { set_thread_count(before); }
  int before;
};
}  // namespace

TEST_CASE("every index is visited once, for any number of threads") {
  for (const int threads : {1, 2, 3, 7}) {
    const Threads guard(threads);
    std::vector<std::atomic<int>> seen(1000);
    parallel_for(1000, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    parallel_blocks(1000, 33, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    for (const auto& count : seen) CHECK(count == 2);
  }
}

TEST_CASE("small work stays on the calling thread") {
  const Threads guard(4);
  const auto caller = std::this_thread::get_id();
  parallel_for(100, 100,
               [&](std::int64_t, std::int64_t) { CHECK(std::this_thread::get_id() == caller); });
}

TEST_CASE("an exception reaches the caller and the pool goes on") {
  const Threads guard(3);
  const auto run = [] {
    parallel_for(90, 1, [](std::int64_t begin, std::int64_t) {
      if (begin > 0) throw std::runtime_error("task");
    });
  };
  CHECK_THROWS_AS(run(), std::runtime_error);
  std::atomic<int> sum{0};
  parallel_for(90, 1, [&](std::int64_t b, std::int64_t e) { sum += static_cast<int>(e - b); });
  CHECK(sum == 90);
}

TEST_CASE("nested and concurrent calls finish") {
  const Threads guard(2);
  std::atomic<int> sum{0};
  const auto work = [&] {
    parallel_for(8, 1, [&](std::int64_t b, std::int64_t e) {
      for (auto i = b; i < e; ++i) {
        parallel_for(10, 1,
                     [&](std::int64_t x, std::int64_t y) { sum += static_cast<int>(y - x); });
      }
    });
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(sum == 160);
}

TEST_CASE("short regions of changing size follow each other closely") {
  const Threads guard(3);
  for (std::int64_t round = 0; round < 20000; ++round) {
    const std::int64_t n = 1 + round % 7;
    std::atomic<std::int64_t> sum{0};
    parallel_blocks(n, 1, [&](std::int64_t i, std::int64_t, std::int64_t) { sum += i + 1; });
    REQUIRE(sum == n * (n + 1) / 2);
  }
}

TEST_CASE("thread counts out of range are refused") {
  CHECK_THROWS_AS(set_thread_count(0), Error);
  CHECK_THROWS_AS(set_thread_count(5000), Error);
}
