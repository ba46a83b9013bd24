#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/sot/plan.hpp"

namespace spiraltorch {
namespace {

void check_length(std::string_view op, std::int64_t n) {
  if (n >= 0) return;
  fail(Errc::invalid_value, op, text("length: got ", n, ", expected >= 0"));
}

// Members of a sequence whose next is the sum of the last `order`, up to n; the first are given.
std::vector<std::int64_t> members_up_to(std::int64_t n, std::vector<std::int64_t> members,
                                        std::ptrdiff_t order) {
  while (members.back() < n) {
    members.push_back(std::accumulate(members.end() - order, members.end(), std::int64_t{0}));
  }
  return members;
}

std::vector<std::int64_t> pack(std::int64_t n, const std::vector<std::int64_t>& members) {
  std::vector<std::int64_t> out;
  for (std::int64_t rest = n; rest > 0; rest -= out.back()) {
    std::int64_t best = 1;
    for (const std::int64_t m : members) {
      if (m > rest) break;
      if (std::abs(2 * m - rest) <= std::abs(2 * best - rest)) best = m;
    }
    out.push_back(best);
  }
  return out;
}

}  // namespace

double golden_angle() noexcept { return std::numbers::pi * (3.0 - std::sqrt(5.0)); }

double golden_ratio() noexcept { return std::numbers::phi; }

std::vector<std::int64_t> fibonacci_pacing(std::int64_t n) {
  check_length("fibonacci_pacing", n);
  std::vector<std::int64_t> out;
  std::int64_t ideal = 1;
  std::int64_t next = 1;
  for (std::int64_t rest = n; rest > 0; rest -= out.back()) {
    out.push_back(std::min(ideal, rest));
    ideal = std::exchange(next, ideal + next);
  }
  return out;
}

std::vector<std::int64_t> pack_tribonacci_chunks(std::int64_t n) {
  check_length("pack_tribonacci_chunks", n);
  return pack(n, members_up_to(n, {1, 2, 4}, 3));
}

std::vector<std::int64_t> pack_tetranacci_chunks(std::int64_t n) {
  check_length("pack_tetranacci_chunks", n);
  return pack(n, members_up_to(n, {1, 2, 4, 8}, 4));
}

}  // namespace spiraltorch
