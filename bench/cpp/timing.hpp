#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

/// Median seconds of one call: a warm-up, then calls until half a second or 200 of them have
/// passed, at least 5.
template <class F>
double median_seconds(F&& f) {
  using Clock = std::chrono::steady_clock;
  f();
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < 5 ||
         (times.size() < 200 && Clock::now() - start < std::chrono::milliseconds(500))) {
    const auto before = Clock::now();
    f();
    times.push_back(std::chrono::duration<double>(Clock::now() - before).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}
