#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_embed(KernelTable&) {}

}  // namespace spiraltorch::cpu
