#include "spiraltorch/runtime/library.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "environment.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

namespace {

void clear(Environment& env) {
  for (const char* name :
       {"CUDA_HOME", "CUDA_PATH", "ROCM_PATH", "HIP_PATH", "SPIRALTORCH_LIB_CUDA",
        "SPIRALTORCH_LIB_NVRTC", "SPIRALTORCH_LIB_AMDHIP64"}) {
    env.set(name);
  }
}

std::ptrdiff_t place(const std::vector<std::string>& list, const std::string& entry) {
  const auto at = std::find(list.begin(), list.end(), entry);
  REQUIRE_MESSAGE(at != list.end(), entry);
  return at - list.begin();
}

bool ends_with(const std::string& s, const std::string& end) {
  return s.size() >= end.size() && s.compare(s.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

TEST_CASE("a library is searched in a fixed order") {
  Environment env;
  clear(env);
  env.set("CUDA_HOME", "/a").set("CUDA_PATH", "/b").set("ROCM_PATH", "/c").set("HIP_PATH", "/d");
  const auto nvrtc = library_candidates("libnvrtc");
  CHECK(ends_with(nvrtc.front(), "/libnvrtc.so.13"));
  CHECK(nvrtc.front().front() == '/');
  CHECK(place(nvrtc, "/a/lib64/libnvrtc.so.13") < place(nvrtc, "/a/lib64/libnvrtc.so.12"));
  CHECK(place(nvrtc, "/a/lib64/libnvrtc.so") < place(nvrtc, "/b/lib64/libnvrtc.so.13"));
  CHECK(place(nvrtc, "/b/lib/libnvrtc.so") < place(nvrtc, "/c/lib/libnvrtc.so.13"));
  CHECK(place(nvrtc, "/c/lib/libnvrtc.so") < place(nvrtc, "/d/lib/libnvrtc.so.13"));
  CHECK(place(nvrtc, "/d/lib/libnvrtc.so") < place(nvrtc, "libnvrtc.so.13"));
  CHECK(nvrtc.back() == "libnvrtc.so");
  CHECK(library_candidates("libwgpu_native").back() == "libwgpu_native.so");
}

TEST_CASE("the driver's library is never the toolkit's stub") {
  Environment env;
  clear(env);
  env.set("CUDA_HOME", "/a");
  for (const std::string& candidate : library_candidates("libcuda")) {
    CHECK(ends_with(candidate, "libcuda.so.1"));
  }
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("stubs"));
  const std::string stub = folder.file("stubs/libcuda.so.1");
  std::filesystem::copy_file(SPIRALTORCH_FAKE_HIP, stub);
  env.set("SPIRALTORCH_LIB_CUDA", stub);
  const Library library = open_library("libcuda");
  CHECK(!library);
  CHECK(library.error.find("stub") != std::string::npos);
}

TEST_CASE("a named file is the only one tried") {
  Environment env;
  clear(env);
  env.set("SPIRALTORCH_LIB_AMDHIP64", SPIRALTORCH_FAKE_HIP);
  const Library library = open_library("libamdhip64");
  REQUIRE(library);
  CHECK(library.path == SPIRALTORCH_FAKE_HIP);
  CHECK(library.error.empty());
  CHECK(library.find("hipInit") != nullptr);
  CHECK(library.find("hipNothing") == nullptr);

  env.set("SPIRALTORCH_LIB_AMDHIP64", "/nonexistent/libamdhip64.so");
  CHECK(library_candidates("libamdhip64").size() == 1);
  const Library absent = open_library("libamdhip64");
  CHECK(!absent);
  CHECK(absent.find("hipInit") == nullptr);
  CHECK(absent.error.find("/nonexistent/libamdhip64.so") != std::string::npos);
}

TEST_CASE("folders of the environment are searched, damaged files skipped and named") {
  Environment env;
  clear(env);
  const TemporaryFolder bad, good;
  std::filesystem::create_directory(bad.file("lib"));
  std::filesystem::create_directory(good.file("lib"));
  bad.write("lib/libamdhip64.so.7", "not a library");
  env.set("ROCM_PATH", bad.file(""));
  const Library damaged = open_library("libamdhip64");
  if (!damaged) CHECK(damaged.error.find("libamdhip64.so.7") != std::string::npos);

  std::filesystem::copy_file(SPIRALTORCH_FAKE_HIP, good.file("lib/libamdhip64.so.6"));
  env.set("HIP_PATH", good.file(""));
  const Library library = open_library("libamdhip64");
  REQUIRE(library);
  CHECK(ends_with(library.path, "lib/libamdhip64.so.6"));
}

TEST_CASE("an unknown library is a reason, not an error") {
  const Library library = open_library("libspiral_nothing");
  CHECK(!library);
  CHECK(library.error.find("libspiral_nothing.so") != std::string::npos);
}
