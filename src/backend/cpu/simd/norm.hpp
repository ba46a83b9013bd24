#pragma once

#include <cstdint>

// Layer normalisation of one row, in double, a version per instruction set. Weights and biases may
// be null: 1 and 0.
namespace spiraltorch::cpu {

/// x̂ = (x − mean)·inverse.
struct RowMoments {
  double mean;
  double inverse;  ///< 1/√(σ² + ε)
};

struct NormTable {
  RowMoments (*moments)(const float* x, std::int64_t n, double eps);
  /// y = x̂⊙w + b.
  void (*apply)(const float* x, const float* w, const float* b, std::int64_t n, RowMoments m,
                float* y);
  /// With h = g⊙w: (h − mean h − x̂·mean(h⊙x̂))·inverse.
  void (*gradient)(const float* x, const float* g, const float* w, std::int64_t n, RowMoments m,
                   float* out);
  /// scale += g⊙x̂, shift += g.
  void (*add_affine)(const float* x, const float* g, std::int64_t n, RowMoments m, double* scale,
                     double* shift);
};

[[nodiscard]] const NormTable& norm_table();

}  // namespace spiraltorch::cpu
