#pragma once

#include <cstdint>

// Reductions of one contiguous run and the row kernels of softmax, a version per instruction set.
namespace spiraltorch::cpu {

struct ReduceTable {
  double (*sum)(const float* x, std::int64_t n);
  double (*sum_squares)(const float* x, std::int64_t n);
  float (*max)(const float* x, std::int64_t n);  ///< NaN if there is one
  float (*min)(const float* x, std::int64_t n);
  /// sums[j] += the x[j] of `rows` rows, `stride` apart, in order.
  void (*add_rows_to)(const float* x, std::int64_t rows, std::int64_t stride, double* sums,
                      std::int64_t n);
  /// sums[j] += x[j]², w·x[j].
  void (*add_squares_to)(const float* x, double* sums, std::int64_t n);
  void (*add_weighted_to)(const float* x, double w, double* sums, std::int64_t n);
  /// out = exp(x − shift); returns the sum of out in double.
  double (*exp_shifted)(const float* x, float shift, float* out, std::int64_t n);
  double (*sum_exp_shifted)(const float* x, float shift, std::int64_t n);
  double (*dot)(const float* x, const float* y, std::int64_t n);
  void (*scale)(float* x, float factor, std::int64_t n);
};

[[nodiscard]] const ReduceTable& reduce_table();

}  // namespace spiraltorch::cpu
