#include "spiraltorch/base/philox.hpp"

#include <bit>
#include <cmath>
#include <mutex>

// No a*b+c below may become one fused operation: the bits are promised on every platform. CMake
// compiles this file with -ffp-contract=off.
namespace spiraltorch {
namespace {

std::mutex mutex;
PhiloxState global_state;

// ln x for x in (0, 1]: x = m·2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m-1)/(m+1)) as
// its odd series; |s| <= 0.1716, so s^23 is below double precision.
double portable_log(double x) noexcept {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2.0;
    --exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double sum = 0.0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
  constexpr double kLn2High = 0x1.62e42fee00000p-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  return exponent * kLn2High + (2.0 * s * sum + exponent * kLn2Low);
}

// cos and sin of 2πt for t in [0, 1), by octant reduction (exact: t has 24 bits) and Taylor series
// on |angle| <= π/4, where the term of degree 18 is below double precision.
std::array<double, 2> portable_cos_sin(std::uint32_t t24) noexcept {
  const std::uint32_t quadrant = (t24 + (1U << 21)) >> 22;  // nearest quarter turn
  const auto rest = static_cast<std::int32_t>(t24) - static_cast<std::int32_t>(quadrant << 22);
  const double angle = rest * (6.283185307179586477 * 0x1p-24);
  const double z = angle * angle;
  double cosine = 0.0;
  double sine = 0.0;
  for (int k = 18; k >= 2; k -= 2) cosine = (1.0 + cosine) * (-z / (k * (k - 1)));
  for (int k = 19; k >= 3; k -= 2) sine = (1.0 + sine) * (-z / (k * (k - 1)));
  cosine += 1.0;
  sine = angle * (1.0 + sine);
  switch (quadrant & 3U) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace

void manual_seed(std::uint64_t seed) {
  const std::lock_guard lock(mutex);
  global_state = {seed, 0};
}

PhiloxState rng_state() {
  const std::lock_guard lock(mutex);
  return global_state;
}

void set_rng_state(PhiloxState state) {
  const std::lock_guard lock(mutex);
  global_state = state;
}

PhiloxState reserve_random_words(std::uint64_t words) {
  const std::lock_guard lock(mutex);
  const PhiloxState start = global_state;
  global_state.block += (words + 3) / 4;
  return start;
}

std::array<double, 2> normals_from_words(std::uint32_t a, std::uint32_t b) noexcept {
  const double u = (static_cast<double>(a >> 8) + 1.0) * 0x1p-24;
  const double r = std::sqrt(-2.0 * portable_log(u));
  const auto [cosine, sine] = portable_cos_sin(b >> 8);
  return {r * cosine, r * sine};
}

}  // namespace spiraltorch
