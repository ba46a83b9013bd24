#pragma once

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "backend/cpu/simd/level.hpp"
#include "spiraltorch/runtime/kernel.hpp"
#include "spiraltorch/runtime/parallel.hpp"

/// What kernel tests share: matrices in buffers with sentinels around them, and a loop over
/// instruction sets and thread counts that demands equal bytes for equal instruction sets.
namespace kernel_test {

inline constexpr std::int64_t kGuard = 32;  // floats on each side of a result
inline constexpr float kSentinel = -7.25e30F;

struct Matrix {
  std::int64_t rows;
  std::int64_t cols;
  std::vector<float> values;
  [[nodiscard]] float at(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * cols + j)];
  }
};

inline Matrix random_matrix(std::int64_t rows, std::int64_t cols, unsigned seed, float scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  Matrix m{rows, cols, std::vector<float>(static_cast<std::size_t>(rows * cols))};
  for (float& v : m.values) v = normal(engine);
  return m;
}

inline std::shared_ptr<spiraltorch::Buffer> to_buffer(const Matrix& m) {
  auto buffer = spiraltorch::Buffer::allocate({}, m.values.size() * sizeof(float));
  spiraltorch::upload(*buffer, 0, m.values.data(), m.values.size() * sizeof(float));
  return buffer;
}

/// Runs `op` once with sentinels around the result; `in` operands may carry strides.
inline std::vector<float> run_guarded(spiraltorch::OpId op,
                                      const std::vector<spiraltorch::KernelOperand>& in,
                                      spiraltorch::Shape shape,
                                      const std::vector<double>& scalars = {},
                                      const std::vector<std::int64_t>& ints = {},
                                      const std::vector<float>& start = {}) {
  using namespace spiraltorch;
  const auto n = static_cast<std::size_t>(shape.size());
  std::vector<float> memory(n + 2 * kGuard, kSentinel);
  std::copy(start.begin(), start.end(), memory.begin() + kGuard);
  const auto buffer = Buffer::adopt_host(memory.data() + kGuard, n * sizeof(float), nullptr);
  const KernelOperand out = operand(*buffer, shape);
  launch(op, {.in = in, .out = {&out, 1}, .scalars = scalars, .ints = ints});
  for (std::size_t i = 0; i < kGuard; ++i) {
    CHECK(memory[i] == kSentinel);
    CHECK(memory[n + kGuard + i] == kSentinel);
  }
  return {memory.begin() + kGuard, memory.begin() + kGuard + static_cast<std::int64_t>(n)};
}

/// Calls body() for every instruction set of this machine; it may set the number of threads.
template <class F>
void each_level(F&& body) {
  using namespace spiraltorch;
  const cpu::SimdLevel best = cpu::simd_level();
  const int threads = thread_count();
  for (const auto level : {cpu::SimdLevel::baseline, cpu::SimdLevel::sse4, cpu::SimdLevel::neon,
                           cpu::SimdLevel::avx2, cpu::SimdLevel::avx512}) {
    if (level > best) break;
    cpu::set_simd_level(level);
    CAPTURE(std::string(cpu::simd_level_name(level)));
    body();
  }
  set_thread_count(threads);
  cpu::set_simd_level(best);
}

/// Calls check(result) for every instruction set; 1 and 3 threads must agree byte for byte.
template <class Run, class Check>
void every_level(Run&& run, Check&& check) {
  using namespace spiraltorch;
  each_level([&] {
    set_thread_count(1);
    const auto one = run();
    set_thread_count(3);
    const auto three = run();
    REQUIRE(one.size() == three.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      REQUIRE(std::bit_cast<std::uint32_t>(one[i]) == std::bit_cast<std::uint32_t>(three[i]));
    }
    check(one);
  });
}

}  // namespace kernel_test
