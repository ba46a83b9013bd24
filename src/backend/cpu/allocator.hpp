#pragma once

#include <cstddef>

namespace spiraltorch::cpu {

/// Memory aligned to 64 bytes. Blocks of a MiB and more are kept for reuse after release (up to a
/// quarter of what the machine has) and ask for huge pages: fresh pages cost more than most
/// elementwise kernels. Throws `out_of_memory`; sizes beyond the machine's memory are refused
/// before anything is touched.
[[nodiscard]] void* allocate(std::size_t bytes);
void release(void* memory, std::size_t bytes) noexcept;
/// Gives kept blocks back to the system; returns how many bytes.
std::size_t trim();
/// Physical memory of the machine.
[[nodiscard]] std::size_t machine_memory();

}  // namespace spiraltorch::cpu
