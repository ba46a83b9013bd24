#pragma once

#include "spiraltorch/runtime/kernel.hpp"

namespace spiraltorch::cpu {

/// The kernel of OpId::embed_ranks; tables of float32 or float64.
void embed_ranks(const KernelArgs& args);

}  // namespace spiraltorch::cpu
