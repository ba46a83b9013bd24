#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "spiraltorch/base/api.hpp"
#include "spiraltorch/base/philox.hpp"

namespace spiraltorch {

/// The words of one Philox stream in sequence, from block 0 on.
class SPIRALTORCH_API WordStream {
 public:
  WordStream(std::uint64_t seed, std::uint32_t substream, PhiloxDomain domain) noexcept
      : seed_(seed), substream_(substream), domain_(domain) {}

  [[nodiscard]] std::uint32_t word() noexcept {
    if ((used_ & 3U) == 0) block_ = philox_block(seed_, used_ >> 2, substream_, domain_);
    return block_[used_++ & 3U];
  }
  /// Uniform on 0 … n−1, n ≥ 1, without bias (Lemire 2019): 32-bit words below 2³², else pairs of
  /// words, low first.
  [[nodiscard]] std::uint64_t below(std::uint64_t n) noexcept;

 private:
  [[nodiscard]] std::uint64_t below_wide(std::uint64_t n) noexcept;

  std::uint64_t seed_;
  std::uint32_t substream_;
  PhiloxDomain domain_;
  std::uint64_t used_ = 0;
  PhiloxBlock block_{};
};

/// Permutes values[0 … count) in place (Durstenfeld 1964): for i = count−1 … 1 swaps i and
/// below(i+1).
template <class T>
void shuffle_in_place(T* values, std::uint64_t count, WordStream& words) {
  for (std::uint64_t i = count; i-- > 1;) std::swap(values[i], values[words.below(i + 1)]);
}

/// A permutation of 0 … n−1 from the stream (seed, substream, domain).
[[nodiscard]] SPIRALTORCH_API std::vector<std::int64_t> permutation(std::int64_t n,
                                                                    std::uint64_t seed,
                                                                    std::uint32_t substream,
                                                                    PhiloxDomain domain);

}  // namespace spiraltorch
