#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

// One step of an embedding's training on rows in place: vector parts of embed_pools.
namespace spiraltorch::cpu {

/// Where the points live, and so what a distance is.
enum class EmbedSpace : std::uint8_t {
  ball,      ///< the unit ball: t = |x−y|²/(αβ), e^{−d} = 1/(1 + 2t + 2√(t(1+t)))
  euclidean  ///< squared Euclidean distance, as the papers' control
};

/// A row: `dim` coordinates, then 1 − |x|² (ball), then padding to a multiple of
/// kPoolAlign bytes.
template <class T>
struct PoolItem {
  T* u = nullptr;            ///< row of the node
  T* const* rows = nullptr;  ///< candidates, positives first, readable up to a whole vector
  std::int64_t positives = 0;
  std::int64_t count = 0;  ///< of all candidates, which are different rows
  T each = 1;              ///< how many negatives each of the negatives stands for
};

/// What every item of an epoch shares. The loss of a pair is ℓ^power/power with
/// ℓ = log(1 + S/e), S the sum of the negatives' e = exp(−scale·d).
template <class T>
struct PoolRule {
  std::int64_t dim = 0;
  T rate = 0;
  T scale = 1;
  T power = 1;
  T alpha_least = 0;  ///< rows stay where 1 − |x|² is at least this
  EmbedSpace space = EmbedSpace::ball;
};

/// Sets a row's 1 − |x|² from its coordinates, in double; back to the last radius first if need be.
template <class T>
void pool_settle(T* x, std::int64_t dim, T alpha_least) {
  double squared = 0.0;
  for (std::int64_t j = 0; j < dim; ++j) squared += static_cast<double>(x[j]) * x[j];
  double alpha = 1.0 - squared;
  const auto least = static_cast<double>(alpha_least);
  if (alpha < least) {
    const double shrink = std::sqrt((1.0 - least) / squared);
    for (std::int64_t j = 0; j < dim; ++j) x[j] = static_cast<T>(x[j] * shrink);
    alpha = least;
  }
  x[dim] = static_cast<T>(alpha);
}

inline constexpr std::int64_t kPoolAlign = 64;  ///< bytes: a cache line, the widest vector

/// Room for one thread's item of up to `candidates`.
template <class T>
class PoolScratch {
 public:
  explicit PoolScratch(std::int64_t candidates);
  [[nodiscard]] T* lane(int which) noexcept { return first_ + which * padded_; }
  [[nodiscard]] std::int64_t padded() const noexcept { return padded_; }

 private:
  std::int64_t padded_;
  std::vector<T> memory_;
  T* first_;
};

inline constexpr std::int64_t kDrawBatch = 64;

/// A range cut into as many parts as are drawn, so that no place is drawn twice.
struct PoolStrata {
  static constexpr std::int64_t kHalfWidth = 1024;  ///< of a part that 16 random bits serve

  std::int32_t size = 0;            ///< of the range
  std::int32_t count = 0;           ///< of parts, at most size
  bool halves = false;              ///< each word of the stream serves two parts
  std::vector<std::int32_t> first;  ///< padded to kDrawBatch
  std::vector<std::uint32_t> width;

  void cut(std::int64_t range, std::int64_t parts);
};

struct EmbedPoolTable {
  /// Steps of u and of all candidates against the item's snapshot; returns the sum of ℓ over the
  /// positives.
  double (*step_f32)(const PoolItem<float>& item, const PoolRule<float>& rule,
                     PoolScratch<float>& scratch);
  double (*step_f64)(const PoolItem<double>& item, const PoolRule<double>& rule,
                     PoolScratch<double>& scratch);
  /// One draw from each stratum: out[i] = (first[i] + inside + turn) modulo size, inside =
  /// ⌊w·width[i]/2^32⌋ for word w = i of the Philox stream whose blocks have the counter (low +
  /// i/4, high, substream, domain) under `key`. With `halves` parts 32k + j and 32k + 16 + j, j <
  /// 16, share word 16k + j, its lower half and its upper; a turn drawn uniformly makes up for what
  /// 16 bits leave uneven. `count` is a multiple of kDrawBatch.
  void (*draw)(const std::uint32_t* counter, const std::uint32_t* key, const PoolStrata& strata,
               std::int32_t turn, std::int32_t* out);
  /// flags[i] = 1 where values[i] is one of `forbidden`; returns whether any is. `count` is a
  /// multiple of kDrawBatch.
  bool (*find)(const std::int32_t* values, std::int64_t count,
               std::span<const std::int32_t> forbidden, std::int32_t* flags);
  /// The pointers base + places[i]·stride bytes into `rows`, up to a whole vector more, and the
  /// rows on their way into the cache. `places` is readable up to a whole vector.
  void (*locate)(void* base, std::int32_t stride, const std::int32_t* places, std::int64_t count,
                 void* rows);
};

[[nodiscard]] const EmbedPoolTable& embed_pool_table();

}  // namespace spiraltorch::cpu
