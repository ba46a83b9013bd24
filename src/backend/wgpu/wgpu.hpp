#pragma once

#include "spiraltorch/runtime/backend.hpp"

// Each topic registers its kernels in the back end's table.
namespace spiraltorch::wgpu {

void register_data(KernelTable& table);
void register_gather(KernelTable& table);
void register_elementwise(KernelTable& table);
void register_embed(KernelTable& table);
void register_matmul(KernelTable& table);
void register_optim(KernelTable& table);
void register_linear(KernelTable& table);
void register_loss(KernelTable& table);
void register_norm(KernelTable& table);
void register_reduce(KernelTable& table);
void register_search(KernelTable& table);
void register_softmax(KernelTable& table);
void register_ball(KernelTable& table);
void register_ball_grad(KernelTable& table);
void register_ball_mean(KernelTable& table);
void register_ball_grad_sums(KernelTable& table);
void register_lorentz(KernelTable& table);
void register_affine(KernelTable& table);
void register_mlr(KernelTable& table);
void register_rank(KernelTable& table);
void register_rank_range(KernelTable& table);
void register_bands(KernelTable& table);

}  // namespace spiraltorch::wgpu
