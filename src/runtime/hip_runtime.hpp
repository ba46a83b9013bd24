#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "spiraltorch/base/device_caps.hpp"
#include "spiraltorch/runtime/library.hpp"

namespace spiraltorch::hip {

/// The part of the HIP runtime that says what is there. Calls return hipError_t, 0 for success.
struct Runtime {
  Library library;
  int (*init)(unsigned flags) = nullptr;
  int (*device_count)(int* count) = nullptr;
  int (*device_name)(char* name, int length, int device) = nullptr;
  int (*total_memory)(std::size_t* bytes, int device) = nullptr;
  int (*attribute)(int* value, int attribute, int device) = nullptr;
  int (*properties)(void* out, int device) = nullptr;
  int (*driver_version)(int* version) = nullptr;
  int (*runtime_version)(int* version) = nullptr;
  const char* (*error_name)(int code) = nullptr;
  int count = 0;      ///< devices, once initialised
  std::string error;  ///< the failing step; empty with one device or more
};

/// Opens and initialises the runtime and counts its devices, anew at each call.
[[nodiscard]] Runtime open_runtime();

/// The runtime's name of a device, else its canonical string.
[[nodiscard]] std::string device_name(const Runtime& runtime, int device);

/// What the runtime says of a device that is there; the template's number where a call fails.
[[nodiscard]] DeviceCaps describe(const Runtime& runtime, int device);

/// "6.2.41134" of HIP's version number; empty for none.
[[nodiscard]] std::string version_text(int version);

}  // namespace spiraltorch::hip
