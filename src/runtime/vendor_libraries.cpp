#include "runtime/vendor_libraries.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "runtime/hip_runtime.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/runtime/library.hpp"

namespace spiraltorch {
namespace {

// Each reads a version by a call that needs no initialised driver; empty where there is none.
using ReadVersion = std::string (*)(const Library&);

int one_number(const Library& library, const char* symbol) {
  const auto call = library.function<int (*)(int*)>(symbol);
  int version = 0;
  return call != nullptr && call(&version) == 0 ? version : 0;
}

std::string two_numbers(const Library& library, const char* symbol) {
  const auto call = library.function<int (*)(int*, int*)>(symbol);
  int major = 0;
  int minor = 0;
  if (call == nullptr || call(&major, &minor) != 0) return {};
  return text(major, '.', minor);
}

std::string cuda_version(const Library& library) {
  const int version = one_number(library, "cuDriverGetVersion");
  return version == 0 ? std::string() : text(version / 1000, '.', version % 1000 / 10);
}

std::string nvrtc_version(const Library& library) { return two_numbers(library, "nvrtcVersion"); }
std::string hiprtc_version(const Library& library) { return two_numbers(library, "hiprtcVersion"); }

std::string cublas_version(const Library& library) {
  const auto call = library.function<std::size_t (*)()>("cublasLtGetVersion");
  if (call == nullptr) return {};
  const std::size_t version = call();
  return text(version / 10000, '.', version / 100 % 100, '.', version % 100);
}

// NCCL_VERSION: major * 10^4 + minor * 10^2 + patch since 2.9; RCCL counts alike.
std::string nccl_version(const Library& library) {
  const int version = one_number(library, "ncclGetVersion");
  if (version == 0) return {};
  return text(version / 10000, '.', version / 100 % 100, '.', version % 100);
}

std::string hip_version(const Library& library) {
  return hip::version_text(one_number(library, "hipRuntimeGetVersion"));
}

std::string rocblas_version(const Library& library) {
  const auto call = library.function<int (*)(char*, std::size_t)>("rocblas_get_version_string");
  std::array<char, 128> version{};
  if (call == nullptr || call(version.data(), version.size()) != 0) return {};
  version.back() = '\0';
  return version.data();
}

std::string wgpu_version(const Library& library) {
  const auto call = library.function<std::uint32_t (*)()>("wgpuGetVersion");
  if (call == nullptr) return {};
  const std::uint32_t v = call();
  return text(v >> 24, '.', v >> 16 & 255U, '.', v >> 8 & 255U, '.', v & 255U);
}

LibraryStatus status(std::string name, ReadVersion read) {
  const Library library = open_library(name);
  if (!library) return {std::move(name), false, library.error};
  return {std::move(name), true, read(library)};
}

// Older ROCm has hipRTC's functions inside the runtime's library.
LibraryStatus hiprtc_status() {
  LibraryStatus own = status("libhiprtc", hiprtc_version);
  if (own.usable) return own;
  const Library runtime = open_library("libamdhip64");
  if (runtime.find("hiprtcVersion") == nullptr) return own;
  return {"libhiprtc", true, hiprtc_version(runtime)};
}

}  // namespace

std::vector<LibraryStatus> vendor_libraries(DeviceType type) {
  switch (type) {
    case DeviceType::cuda:
      return {status("libcuda", cuda_version), status("libnvrtc", nvrtc_version),
              status("libcublasLt", cublas_version), status("libnccl", nccl_version)};
    case DeviceType::hip:
      return {status("libamdhip64", hip_version), hiprtc_status(),
              status("librocblas", rocblas_version), status("librccl", nccl_version)};
    case DeviceType::wgpu:
      return {status("libwgpu_native", wgpu_version)};
    default:
      return {};
  }
}

}  // namespace spiraltorch
