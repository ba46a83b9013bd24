#include "spiraltorch/base/philox.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace spiraltorch;

// Known-answer vectors of Random123 (kat_vectors, philox4x32 10).
TEST_CASE("philox reproduces the published vectors") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("the global generator hands out whole blocks") {
  manual_seed(7);
  CHECK(reserve_random_words(5).block == 0);
  CHECK(reserve_random_words(1).block == 2);
  CHECK(reserve_random_words(4).block == 3);
  const PhiloxState state = reserve_random_words(1);
  CHECK(state.seed == 7);
  CHECK(state.block == 4);
  manual_seed(0);
}

TEST_CASE("normals agree with the mathematical library to double rounding") {
  constexpr double kPi = 3.14159265358979323846;
  for (std::uint64_t block = 0; block < 2000; ++block) {
    const auto w = philox_block(3, block);
    const double u = ((w[0] >> 8) + 1.0) * 0x1p-24;
    const double r = std::sqrt(-2.0 * std::log(u));
    const double theta = 2.0 * kPi * (w[1] >> 8) * 0x1p-24;
    const auto [x, y] = normals_from_words(w[0], w[1]);
    CHECK(x == doctest::Approx(r * std::cos(theta)).epsilon(1e-13));
    CHECK(y == doctest::Approx(r * std::sin(theta)).epsilon(1e-13));
  }
}
