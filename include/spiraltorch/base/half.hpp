#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace spiraltorch {

/// The number that the bits of an IEEE 754 half stand for.
[[nodiscard]] inline double half_value(std::uint16_t half) {
  const unsigned bits = half;
  const int exponent = static_cast<int>((bits >> 10) & 31U);
  const double mantissa = bits & 1023U;
  double value =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024.0, exponent - 25);
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  }
  return (bits & 0x8000U) != 0 ? -value : value;
}

}  // namespace spiraltorch
