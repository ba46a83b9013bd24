#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// Host threads used by `parallel_for`: SPIRALTORCH_NUM_THREADS, else the cores this process may
/// use. The pool starts with the first parallel call and its threads sleep between calls.
[[nodiscard]] SPIRALTORCH_API int thread_count();
/// 1 <= count <= 1024, else `invalid_value`.
SPIRALTORCH_API void set_thread_count(int count);

namespace detail {
/// A non-owning reference to a callable; no allocation.
class TaskRef {
 public:
  template <class F>
  explicit TaskRef(F& f)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, std::int64_t i) { (*static_cast<F*>(object))(i); }) {}
  void operator()(std::int64_t i) const { call_(object_, i); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t);
};
/// Runs task(0) … task(count-1) on the pool and the caller, which claim them one by one. Nested
/// calls run inline. The first exception is rethrown here after all tasks ended.
SPIRALTORCH_API void run_tasks(std::int64_t count, TaskRef task);
}  // namespace detail

/// Splits [0, n) into blocks of `block` and calls body(index, begin, end) for each. The split
/// depends on n and block only, so per-block partial results combined in index order do not depend
/// on the number of threads.
template <class F>
void parallel_blocks(std::int64_t n, std::int64_t block, F&& body) {
  const std::int64_t count = (n + block - 1) / block;
  auto task = [&](std::int64_t i) { body(i, i * block, std::min(n, (i + 1) * block)); };
  if (count <= 1 || thread_count() == 1) {
    for (std::int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  detail::run_tasks(count, detail::TaskRef(task));
}

/// Splits [0, n) into one contiguous range a thread, none shorter than `grain`, and calls
/// body(begin, end). Runs inline, without waking a thread, where n <= grain.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& body) {
  if (n <= 0) return;
  const std::int64_t most = std::max<std::int64_t>(1, n / std::max<std::int64_t>(1, grain));
  const std::int64_t ranges = std::min<std::int64_t>(most, thread_count());
  if (ranges <= 1) {
    body(std::int64_t{0}, n);
    return;
  }
  auto task = [&](std::int64_t i) { body(n * i / ranges, n * (i + 1) / ranges); };
  detail::run_tasks(ranges, detail::TaskRef(task));
}

}  // namespace spiraltorch
