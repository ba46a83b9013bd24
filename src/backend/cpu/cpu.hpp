#pragma once

#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/kernel.hpp"

// What the CPU back end's files share. Each topic registers its kernels in the table.
namespace spiraltorch::cpu {

void register_elementwise(KernelTable& table);
void register_reduce(KernelTable& table);
void register_softmax(KernelTable& table);
void register_data(KernelTable& table);
void register_gather(KernelTable& table);
void register_matmul(KernelTable& table);
void register_linear(KernelTable& table);
void register_loss(KernelTable& table);
void register_norm(KernelTable& table);
void register_ball(KernelTable& table);
void register_ball_grad(KernelTable& table);
void register_ball_grad_mean(KernelTable& table);
void register_ball_grad_sums(KernelTable& table);
void register_lorentz(KernelTable& table);
void register_affine(KernelTable& table);
void register_mlr(KernelTable& table);
void register_embed(KernelTable& table);
void register_embed_pools(KernelTable& table);
void register_optim(KernelTable& table);
void register_rank(KernelTable& table);
void register_rank_range(KernelTable& table);
void register_bands(KernelTable& table);

inline void set_kernel(KernelTable& table, OpId op, Kernel kernel) {
  table[static_cast<std::size_t>(op)] = kernel;
}

/// The memory of an operand, as elements of T.
template <class T>
[[nodiscard]] T* data(const KernelOperand& x) {
  return static_cast<T*>(x.buffer->native());
}

/// out (cols) = the sums of x's columns, in double, rounded once.
void sum_columns(const KernelOperand& x, const float* data, float* out);

/// Work below this many elements is not worth waking a thread (about 50 µs of it).
inline constexpr std::int64_t kParallelGrain = 32768;

}  // namespace spiraltorch::cpu
