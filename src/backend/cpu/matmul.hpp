#pragma once

#include <cstdint>

#include "backend/cpu/simd/gemm.hpp"

// The matrix product for the kernels that contain one.
namespace spiraltorch::cpu {

/// c (m×n, contiguous) = op(a)·op(b), plus c itself if `accumulate`, plus `bias` (n numbers, or
/// none); with `relu` negative results become 0. Every element is summed in the same order whatever
/// the threads.
struct Product {
  MatrixView a;
  MatrixView b;
  float* c;
  std::int64_t m, n, k;
  bool accumulate = false;
  const float* bias = nullptr;
  bool relu = false;
};

void multiply(const Product& product);

/// A matrix of `cols` columns as it lies, or transposed.
[[nodiscard]] inline MatrixView view_of(const float* data, std::int64_t cols, bool transposed) {
  return {data, transposed ? 1 : cols, transposed ? cols : 1};
}

}  // namespace spiraltorch::cpu
