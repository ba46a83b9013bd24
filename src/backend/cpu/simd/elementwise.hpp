#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// Elementwise kernels of one contiguous run of n elements, one version per instruction set.
namespace spiraltorch::cpu {

/// How a run is read and written. An operand with step 0 repeats its first element.
struct Run {
  const float* a;
  std::int64_t a_step;
  const float* b;
  std::int64_t b_step;
  float* out;
  std::int64_t n;
  const float* params;
  bool stream;  ///< write past the caches: out is 64-byte aligned, large and not read soon
};

enum class BinaryOp : std::uint8_t {
#define SPIRALTORCH_UNARY(name, ...)
#define SPIRALTORCH_BINARY(name, ...) name,
#include "backend/expressions.inc"
  count_
};
enum class UnaryOp : std::uint8_t {
#define SPIRALTORCH_UNARY(name, ...) name,
#define SPIRALTORCH_BINARY(name, ...)
#include "backend/expressions.inc"
  count_
};

using RunKernel = void (*)(const Run&);

struct ElementwiseTable {
  std::array<RunKernel, static_cast<std::size_t>(BinaryOp::count_)> binary;
  std::array<RunKernel, static_cast<std::size_t>(UnaryOp::count_)> unary;
};

[[nodiscard]] const ElementwiseTable& elementwise_table();

}  // namespace spiraltorch::cpu
