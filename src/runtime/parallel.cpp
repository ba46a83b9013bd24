#include "spiraltorch/runtime/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr int kMaxThreads = 1024;
// Looks at a flag this often before it sleeps: about 30 µs, a few times what a wake-up costs, so
// that loops of short parallel regions do not pay for one each.
constexpr int kSpins = 1500;
thread_local bool inside_task = false;

int default_thread_count() {
  if (const char* value = std::getenv("SPIRALTORCH_NUM_THREADS")) {
    const int count = std::atoi(value);
    if (count >= 1 && count <= kMaxThreads) return count;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int>& count_slot() {
  static std::atomic<int> count{default_thread_count()};
  return count;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Returns once `value` differs from `old`.
template <class T>
void wait_for_change(std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load() != old) return;
    pause();
  }
  value.wait(old);
}

// Workers and the caller claim tasks one by one, so a worker that has lost its core holds nobody
// up. A claim is (generation, next task) in one word: a late worker of an older generation cannot
// claim. Errors are kept, never thrown on a worker.
class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int w = 1; w < threads; ++w) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    stop_.store(true);
    generation_.fetch_add(1);
    generation_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  void run(std::uint32_t count, const detail::TaskRef& task) {
    const std::uint32_t generation = generation_.load() + 1;
    // Closed first: a late worker must not take the old claim for one below the new count.
    claim_.store(std::uint64_t{generation} << 32 | std::numeric_limits<std::uint32_t>::max());
    task_ = &task;
    count_ = count;
    error_ = nullptr;
    left_.store(count);
    claim_.store(std::uint64_t{generation} << 32);
    generation_.store(generation);
    generation_.notify_all();
    share(generation);
    for (std::uint32_t left = left_.load(); left != 0; left = left_.load()) {
      wait_for_change(left_, left);
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // The next task of this generation, if there is one.
  bool claim(std::uint32_t generation, std::uint32_t& task) {
    std::uint64_t word = claim_.load();
    while (word >> 32 == generation && static_cast<std::uint32_t>(word) < count_.load()) {
      if (claim_.compare_exchange_weak(word, word + 1)) {
        task = static_cast<std::uint32_t>(word);
        return true;
      }
    }
    return false;
  }

  void share(std::uint32_t generation) {
    inside_task = true;
    for (std::uint32_t i = 0; claim(generation, i);) {
      try {
        (*task_.load())(i);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      if (left_.fetch_sub(1) == 1) left_.notify_all();
    }
    inside_task = false;
  }

  void work() {
    std::uint32_t seen = 0;
    while (true) {
      wait_for_change(generation_, seen);
      seen = generation_.load();
      if (stop_.load()) return;
      share(seen);
    }
  }

  int threads_;
  std::vector<std::thread> workers_;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::uint64_t> claim_{0};
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> left_{0};
  std::atomic<const detail::TaskRef*> task_{nullptr};
  std::atomic<bool> stop_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

std::mutex pool_mutex;
std::unique_ptr<Pool>& pool_slot() {
  static std::unique_ptr<Pool> pool;
  return pool;
}

// A forked child has no workers: forget the parent's pool (its threads do not exist here, so it
// can be neither joined nor destroyed) and start a new one on demand.
void forget_pool_in_child() {
  (void)pool_slot().release();
  pool_mutex.unlock();
}

Pool& pool_locked() {
  static const bool registered = [] {
    pthread_atfork([] { pool_mutex.lock(); }, [] { pool_mutex.unlock(); }, forget_pool_in_child);
    return true;
  }();
  (void)registered;
  auto& pool = pool_slot();
  if (!pool || pool->threads() != thread_count()) {
    pool.reset();
    pool = std::make_unique<Pool>(thread_count());
  }
  return *pool;
}

}  // namespace

int thread_count() { return count_slot().load(std::memory_order_relaxed); }

void set_thread_count(int count) {
  if (count < 1 || count > kMaxThreads) {
    fail(Errc::invalid_value, "set_thread_count",
         text("count: got ", count, ", expected 1 to ", kMaxThreads));
  }
  count_slot().store(count);
}

namespace detail {

void run_tasks(std::int64_t count, TaskRef task) {
  // Nested calls, and callers that find the pool busy, do their own work.
  if (!inside_task && thread_count() > 1 && count > 1) {
    const std::unique_lock lock(pool_mutex, std::try_to_lock);
    if (lock.owns_lock()) {
      constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
      if (count <= kMost) {
        pool_locked().run(static_cast<std::uint32_t>(count), task);
        return;
      }
    }
  }
  for (std::int64_t i = 0; i < count; ++i) task(i);
}

}  // namespace detail
}  // namespace spiraltorch
