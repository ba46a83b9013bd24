#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_matmul(KernelTable&) {}

}  // namespace spiraltorch::cpu
