#include "spiraltorch/base/word_stream.hpp"

#include <numeric>

namespace spiraltorch {
namespace {

struct Product {
  std::uint64_t high;
  std::uint64_t low;
};

// 64 × 64 → 128 bits by halves.
Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t a0 = a & 0xffffffffU;
  const std::uint64_t a1 = a >> 32;
  const std::uint64_t b0 = b & 0xffffffffU;
  const std::uint64_t b1 = b >> 32;
  const std::uint64_t low = a0 * b0;
  const std::uint64_t mid = a1 * b0 + (low >> 32);
  const std::uint64_t cross = a0 * b1 + (mid & 0xffffffffU);
  return {a1 * b1 + (mid >> 32) + (cross >> 32), a * b};
}

}  // namespace

std::uint64_t WordStream::below(std::uint64_t n) noexcept {
  if (n >> 32 != 0) return below_wide(n);
  const auto bound = static_cast<std::uint32_t>(n);
  std::uint64_t m = std::uint64_t{word()} * bound;
  if (static_cast<std::uint32_t>(m) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(m) < threshold) m = std::uint64_t{word()} * bound;
  }
  return m >> 32;
}

std::uint64_t WordStream::below_wide(std::uint64_t n) noexcept {
  const auto draw = [&] {
    const std::uint64_t low = word();
    return multiply(low | (std::uint64_t{word()} << 32), n);
  };
  Product m = draw();
  if (m.low < n) {
    const std::uint64_t threshold = (0U - n) % n;
    while (m.low < threshold) m = draw();
  }
  return m.high;
}

std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, std::uint32_t substream,
                                      PhiloxDomain domain) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), std::int64_t{0});
  WordStream words(seed, substream, domain);
  shuffle_in_place(out.data(), out.size(), words);
  return out;
}

}  // namespace spiraltorch
