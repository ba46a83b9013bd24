#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "spiraltorch/data/data_loader.hpp"
#include "spiraltorch/data/sources.hpp"

using namespace spiraltorch;

namespace {

DataLoader zeros(std::int64_t count) {
  return dataset::from_tensors(Tensor(count, 1), Tensor(count, 1));
}

// Threads of this process.
std::ptrdiff_t threads() {
  std::ptrdiff_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    count += task.exists() ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("at most depth + 1 batches are ahead of the consumer") {
  std::atomic<int> made{0};
  for (const int depth : {1, 2, 8}) {
    made = 0;
    auto batches = zeros(100)
                       .map([&](Sample s) {
                         ++made;
                         return s;
                       })
                       .prefetch(depth)
                       .iter();
    for (int drawn = 0; drawn < 5; ++drawn) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      CHECK(made <= drawn + depth + 1);
      CHECK(made >= drawn);
      REQUIRE(batches.next());
    }
  }
}

TEST_CASE("leaving early stops at once and leaves no thread") {
  const auto before = threads();
  const auto start = std::chrono::steady_clock::now();
  {
    auto full = zeros(1000).prefetch(1).iter();
    REQUIRE(full.next());
    auto slow = zeros(1000)
                    .map([](Sample s) {
                      std::this_thread::sleep_for(std::chrono::milliseconds(5));
                      return s;
                    })
                    .batched(1000)
                    .prefetch(1)
                    .iter();
    auto closed = zeros(1000).prefetch(4).iter();
    closed.close();
    CHECK_FALSE(closed.next());
    closed.close();
    auto untouched = zeros(1000).prefetch(8).iter();
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  CHECK(threads() == before);
}

TEST_CASE("an exception keeps its place, is thrown once and ends the epoch") {
  for (const int depth : {0, 1, 2, 8}) {
    std::atomic<int> calls{0};
    const auto failing = zeros(100)
                             .map([&](Sample s) {
                               if (++calls == 5) throw std::runtime_error("fifth");
                               return s;
                             })
                             .batched(2)
                             .prefetch(depth);
    auto batches = failing.iter();
    CHECK(batches.next());
    CHECK(batches.next());
    CHECK_THROWS_WITH_AS((void)batches.next(), "fifth", std::runtime_error);
    CHECK_FALSE(batches.next());
    CHECK_FALSE(batches.next());
    CHECK(calls == 5);
  }
}

TEST_CASE("an iterator may be dropped or closed inside its own map") {
  auto holder = std::make_shared<std::optional<DataIterator>>();
  std::atomic<bool> dropped{false};
  std::atomic<bool> armed{false};
  const auto loader = zeros(10).map([holder, &dropped, &armed](Sample s) {
    while (!armed) std::this_thread::yield();
    if (!dropped) {
      (*holder)->close();
      holder->reset();
      dropped = true;
    }
    return s;
  });
  holder->emplace(loader.prefetch(1).iter());
  armed = true;
  while (!dropped) std::this_thread::yield();
}

TEST_CASE("closing without prefetch, and consumers in several threads") {
  auto plain = zeros(10).iter();
  REQUIRE(plain.next());
  plain.close();
  CHECK_FALSE(plain.next());
  for (const int depth : {0, 3}) {
    auto batches = zeros(500).prefetch(depth).iter();
    std::atomic<int> drawn{0};
    std::vector<std::thread> consumers;
    for (int i = 0; i < 3; ++i) {
      consumers.emplace_back([&] {
        while (batches.next()) ++drawn;
      });
    }
    for (auto& consumer : consumers) consumer.join();
    CHECK(drawn == 500);
  }
}
