#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_elementwise(KernelTable&) {}

}  // namespace spiraltorch::cpu
