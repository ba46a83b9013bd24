#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_ball(KernelTable&) {}

}  // namespace spiraltorch::cpu
