#pragma once

#include <array>
#include <cstdint>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011).
using PhiloxBlock = std::array<std::uint32_t, 4>;

/// The raw function: ten rounds on a 128-bit counter under a 64-bit key.
[[nodiscard]] constexpr PhiloxBlock philox4x32(PhiloxBlock counter,
                                               std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const auto a = std::uint64_t{0xD2511F53U} * counter[0];
    const auto b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

/// Who draws: streams of different domains never meet. `split` and `embedding` share a number, as
/// the specification has it: the one uses substream 0 of a loader's seed.
enum class PhiloxDomain : std::uint32_t {
  tensors = 0,
  loader = 1,
  embedding = 2,
  split = 2,
  window = 3
};

/// Block number `block` of the stream (seed, substream, domain).
[[nodiscard]] constexpr PhiloxBlock philox_block(
    std::uint64_t seed, std::uint64_t block, std::uint32_t substream = 0,
    PhiloxDomain domain = PhiloxDomain::tensors) noexcept {
  return philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                     substream, static_cast<std::uint32_t>(domain)},
                    {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

/// Uniform on [0, 1) with 24 bits, exactly representable in float32.
[[nodiscard]] constexpr float uniform_from_word(std::uint32_t word) noexcept {
  return static_cast<float>(word >> 8) * 0x1p-24F;
}

/// A position in a stream: seed and next unused block.
struct PhiloxState {
  std::uint64_t seed = 0;
  std::uint64_t block = 0;
};

/// Resets the process-wide generator to `seed`, block 0.
SPIRALTORCH_API void manual_seed(std::uint64_t seed);

/// Where the process-wide generator is, and how to bring it there.
[[nodiscard]] SPIRALTORCH_API PhiloxState rng_state();
SPIRALTORCH_API void set_rng_state(PhiloxState state);

/// Takes ⌈words/4⌉ blocks from the process-wide generator; returns where they start.
[[nodiscard]] SPIRALTORCH_API PhiloxState reserve_random_words(std::uint64_t words);

/// Two standard normals from two words by Box-Muller, in the library's own double sequences, so
/// that the bits are the same on every platform (spec 1, section 2).
[[nodiscard]] SPIRALTORCH_API std::array<double, 2> normals_from_words(std::uint32_t a,
                                                                       std::uint32_t b) noexcept;

}  // namespace spiraltorch
