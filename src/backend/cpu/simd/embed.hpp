#pragma once

#include <cstdint>

// Vector parts of embedding: one point u of the unit ball against a turned block of candidates.
namespace spiraltorch::cpu {

/// `count` candidates, coordinate j of candidate i at block[j·stride + i]; stride is a multiple of
/// the vector length and entries past count are zero.
struct Candidates {
  const float* block;
  std::int64_t stride;
  std::int64_t count;
  std::int64_t dim;
};

struct EmbedTable {
  /// e^{−d(u, y)} if s = 1, else −s·d(u, y), for each candidate, and what its gradient needs: with
  /// t = |u−y|²/(αβ), q = √(t(1+t)), e^{−d} = 1/(1+2t+2q). `c` gets 2/(αβq) (0 at coincidence),
  /// `on_y` and `on_u` the factors 1 + |u−y|²/β and 1 + |u−y|²/α; α = 1−|u|², β = 1−|y|².
  void (*terms)(const double* u, double alpha, double s, const Candidates& y, double* e, double* c,
                double* on_y, double* on_u);
  /// e_i ← exp(min(e_i − shift, 700)), so that sums stay finite.
  void (*powers)(double shift, std::int64_t count, double* e);
  /// sums[j] += Σ_i w_i·y_ij.
  void (*weighted_rows)(const Candidates& y, const double* w, double* sums);
};

[[nodiscard]] const EmbedTable& embed_table();

}  // namespace spiraltorch::cpu
