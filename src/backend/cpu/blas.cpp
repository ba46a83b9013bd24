#include "backend/cpu/blas.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::cpu {
namespace {

struct Library {
  Sgemm sgemm = nullptr;
  std::string error;
};

Library open_library() {
  const char* path = std::getenv("SPIRALTORCH_BLAS");
  if (path == nullptr || *path == '\0') return {};
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, dlerror()};
  for (const char* name : {"cblas_sgemm", "scipy_cblas_sgemm"}) {
    if (void* symbol = dlsym(handle, name)) return {reinterpret_cast<Sgemm>(symbol), {}};
  }
  dlclose(handle);
  return {nullptr, text(path, " has neither cblas_sgemm nor scipy_cblas_sgemm")};
}

}  // namespace

Sgemm external_sgemm() {
  static const Library library = open_library();
  if (!library.error.empty()) {
    fail(Errc::device, "matmul",
         text("SPIRALTORCH_BLAS: got ", library.error, ", expected a usable BLAS library"));
  }
  return library.sgemm;
}

}  // namespace spiraltorch::cpu
