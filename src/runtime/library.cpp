#include "spiraltorch/runtime/library.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct KnownSonames {
  std::string_view name;
  std::vector<std::string_view> suffixes;  // newest first
};

// Sonames of CUDA 11-13, NCCL 2 and ROCm 5-7; their development links come last.
Names file_names(std::string_view name) {
  static const std::vector<KnownSonames> known{
      {"libcuda", {".so.1"}},
      {"libnvrtc", {".so.13", ".so.12", ".so.11.2", ".so"}},
      {"libcublasLt", {".so.13", ".so.12", ".so.11", ".so"}},
      {"libnccl", {".so.2", ".so"}},
      {"libamdhip64", {".so.7", ".so.6", ".so.5", ".so"}},
      {"libhiprtc", {".so.7", ".so.6", ".so.5", ".so"}},
      {"librocblas", {".so.5", ".so.4", ".so.3", ".so"}},
      {"librccl", {".so.1", ".so"}},
      {"libwgpu_native", {"-release.so", ".so"}},  // as PyPI's wgpu names it; as its releases do
  };
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.name == name; });
  if (found == known.end()) return {text(name, ".so")};
  Names out;
  for (const std::string_view suffix : found->suffixes) out.push_back(text(name, suffix));
  return out;
}

std::string variable_name(std::string_view name) {
  std::string out = "SPIRALTORCH_LIB_";
  for (const char c : name.substr(name.substr(0, 3) == "lib" ? 3 : 0)) {
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

// An empty variable counts as unset.
std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

// Folder of the shared object (or program) that holds this code.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&open_library), &info) == 0) return {};
  std::error_code ignored;
  return fs::absolute(info.dli_fname, ignored).parent_path();
}

// Folders of the wheels that carry run-time libraries of CUDA and of WebGPU, in a fixed order.
Names package_folders(const fs::path& own) {
  Names out;
  std::error_code error;
  for (const auto& package : fs::directory_iterator(own.parent_path() / "nvidia", error)) {
    fs::path folder = package.path() / "lib";
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) out.push_back(folder.string());
  }
  std::sort(out.begin(), out.end());
  out.push_back((own.parent_path() / "wgpu" / "resources").string());
  return out;
}

// Groups of folders in the order of the search.
std::vector<Names> places() {
  std::vector<Names> out;
  if (const fs::path own = own_folder(); !own.empty()) {
    out.push_back({own.string()});
    out.push_back(package_folders(own));
  }
  for (const char* home : {"CUDA_HOME", "CUDA_PATH"}) {
    const std::string root = variable(home);
    if (!root.empty()) out.push_back({root + "/lib64", root + "/lib"});
  }
  for (const char* home : {"ROCM_PATH", "HIP_PATH"}) {
    const std::string root = variable(home);
    if (!root.empty()) out.push_back({root + "/lib"});
  }
  return out;
}

std::string path_of(void* handle) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return {};
  return map->l_name;
}

std::string loader_error() {
  const char* message = dlerror();
  return message == nullptr ? "cannot be opened" : message;
}

Library try_open(std::string_view name, const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, {}, loader_error()};
  const std::string path = path_of(handle);
  // Images put a link libcuda.so.1 beside the stub, and that on the loader's path.
  if (name == "libcuda" && path.find("/stubs/") != std::string::npos) {
    return {nullptr, {}, text(path, ": is the toolkit's stub")};
  }
  return {handle, path, {}};
}

bool is_absent_file(const std::string& candidate) {
  std::error_code ignored;
  return candidate.find('/') != std::string::npos && !fs::exists(candidate, ignored);
}

}  // namespace

void* Library::find(const char* symbol) const noexcept {
  return handle == nullptr ? nullptr : dlsym(handle, symbol);
}

std::vector<std::string> library_candidates(std::string_view name) {
  if (const std::string file = variable(variable_name(name)); !file.empty()) return {file};
  const Names files = file_names(name);
  Names out;
  for (const Names& folders : places()) {
    for (const std::string& file : files) {
      for (const std::string& folder : folders) out.push_back(text(folder, '/', file));
    }
  }
  out.insert(out.end(), files.begin(), files.end());
  return out;
}

Library open_library(std::string_view name) {
  const std::vector<std::string> candidates = library_candidates(name);
  std::string reason;
  for (const std::string& candidate : candidates) {
    if (candidates.size() > 1 && is_absent_file(candidate)) continue;
    Library library = try_open(name, candidate);
    if (library) return library;
    // The first reason stands: it is that of a file which is there, or of the newest soname.
    if (reason.empty()) reason = library.error;
  }
  return {nullptr, {}, reason};
}

}  // namespace spiraltorch
