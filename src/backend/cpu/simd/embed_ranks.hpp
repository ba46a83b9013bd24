#pragma once

#include <cstdint>

// Vector parts of exact ranking in the unit ball: a cheap test that rules nearly all nodes out, and
// orders of whole tiles where it does not.
namespace spiraltorch::cpu {

/// Queries screened at once.
inline constexpr std::int64_t kScreened = 8;
/// Columns a tile is padded to, and its most: what `below` counts in 32 bits.
inline constexpr std::int64_t kTilePad = 64;
inline constexpr std::int64_t kTileMost = 4096;

struct EmbedRanksTable {
  /// For each query k the columns i (a multiple of kTilePad) with Σ_j weights[8j + k]·row_j[i] <
  /// limits[k], row j of `terms` at rows + j·stride: their numbers, ascending, to out + k·room and
  /// their count to found[k]. room ≥ columns + 16. Sums are float32 in order of j.
  void (*screen)(const float* rows, std::int64_t stride, std::int64_t columns, std::int64_t terms,
                 const float* weights, const float* limits, std::uint32_t* out, std::int64_t room,
                 std::int64_t* found);
  /// Σ_j (u_j − row_j[i])²·inverses[i] for each column: |u−y|²/(1−|y|²), increasing in the
  /// distance.
  void (*orders32)(const float* u, const float* rows, std::int64_t stride, std::int64_t columns,
                   std::int64_t dim, const float* inverses, float* out);
  void (*orders64)(const double* u, const double* rows, std::int64_t stride, std::int64_t columns,
                   std::int64_t dim, const double* inverses, double* out);
  /// How many orders are < low; `doubt` becomes whether another one is < high.
  std::int64_t (*below32)(const float* orders, std::int64_t columns, float low, float high,
                          bool& doubt);
  std::int64_t (*below64)(const double* orders, std::int64_t columns, double low, double high,
                          bool& doubt);
  /// Numbers of the orders with low ≤ order < high, ascending; their count. Room for all.
  std::int64_t (*between32)(const float* orders, std::int64_t columns, float low, float high,
                            std::uint32_t* out);
  std::int64_t (*between64)(const double* orders, std::int64_t columns, double low, double high,
                            std::uint32_t* out);
};

[[nodiscard]] const EmbedRanksTable& embed_ranks_table();

}  // namespace spiraltorch::cpu
