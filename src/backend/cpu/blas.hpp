#pragma once

#include <cstdint>

namespace spiraltorch::cpu {

/// row-major cblas_sgemm of the library that SPIRALTORCH_BLAS names, or null without that
/// variable. It is opened at the first matrix product; a library that cannot be opened or lacks
/// `cblas_sgemm` and `scipy_cblas_sgemm` throws `device` with the loader's text each time.
using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                       const float* a, int lda, const float* b, int ldb, float beta, float* c,
                       int ldc);
[[nodiscard]] Sgemm external_sgemm();

}  // namespace spiraltorch::cpu
