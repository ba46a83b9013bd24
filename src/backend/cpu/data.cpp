#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_data(KernelTable&) {}

}  // namespace spiraltorch::cpu
