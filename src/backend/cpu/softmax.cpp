#include "backend/cpu/cpu.hpp"

namespace spiraltorch::cpu {

void register_softmax(KernelTable&) {}

}  // namespace spiraltorch::cpu
