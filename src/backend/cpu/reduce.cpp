#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_reduce(KernelTable&) {}

}  // namespace spiraltorch::cpu
