#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/base/api.hpp"

namespace spiraltorch {

/// A vendor's run-time library, or why it cannot be opened. It stays open until the process ends:
/// drivers do not survive being unloaded.
struct Library {
  void* handle = nullptr;
  std::string path;   ///< the file that was opened, as the loader names it
  std::string error;  ///< empty if it is open

  explicit operator bool() const noexcept { return handle != nullptr; }
  /// Address of an exported symbol, or null.
  [[nodiscard]] SPIRALTORCH_API void* find(const char* symbol) const noexcept;
  /// The same as a function pointer: `library.function<int (*)(unsigned)>("hipInit")`.
  template <class Function>
  [[nodiscard]] Function function(const char* symbol) const noexcept {
    return reinterpret_cast<Function>(find(symbol));
  }
};

/// What `open_library` tries, in this order: the file in SPIRALTORCH_LIB_<NAME> (the name without
/// "lib", in capitals; where set, nothing else is tried), beside this shared object, the Python
/// environment's run-time packages (../nvidia/*/lib and ../wgpu/resources from there), CUDA_HOME,
/// CUDA_PATH, ROCM_PATH, HIP_PATH, and the loader's own path; newest known soname first. Of libcuda
/// only libcuda.so.1: the toolkit's stub is named libcuda.so.
[[nodiscard]] SPIRALTORCH_API std::vector<std::string> library_candidates(std::string_view name);

/// Opens a library by name ("libamdhip64", "libnvrtc"). Reads the environment at each call and
/// throws nothing: what the loader said is the `error`.
[[nodiscard]] SPIRALTORCH_API Library open_library(std::string_view name);

}  // namespace spiraltorch
