#include "spiraltorch/runtime/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <exception>
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

// Workers wait on a generation counter; worker w of T runs tasks w, w + T, w + 2T, …; the caller
// is worker 0. Errors are kept, never thrown on a worker.
class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int w = 1; w < threads; ++w) workers_.emplace_back([this, w] { work(w); });
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

  void run(std::int64_t count, const detail::TaskRef& task) {
    task_ = &task;
    count_ = count;
    error_ = nullptr;
    pending_.store(threads_ - 1);
    generation_.fetch_add(1);
    generation_.notify_all();
    share(0);
    for (int left = pending_.load(); left != 0; left = pending_.load()) {
      wait_for_change(pending_, left);
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void share(int worker) {
    inside_task = true;
    try {
      for (std::int64_t i = worker; i < count_; i += threads_) (*task_)(i);
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
    }
    inside_task = false;
  }

  void work(int worker) {
    unsigned seen = 0;
    while (true) {
      wait_for_change(generation_, seen);
      seen = generation_.load();
      if (stop_.load()) return;
      share(worker);
      pending_.fetch_sub(1);
      pending_.notify_one();
    }
  }

  int threads_;
  std::vector<std::thread> workers_;
  std::atomic<unsigned> generation_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> stop_{false};
  const detail::TaskRef* task_ = nullptr;
  std::int64_t count_ = 0;
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
      pool_locked().run(count, task);
      return;
    }
  }
  for (std::int64_t i = 0; i < count; ++i) task(i);
}

}  // namespace detail
}  // namespace spiraltorch
