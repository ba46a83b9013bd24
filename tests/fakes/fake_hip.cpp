// A stand-in for AMD's run-time libraries. FAKE_HIP_DEVICES: how many devices there are (default
// 1); FAKE_HIP_FAIL="hipInit:100,hipDeviceGetName:1": calls that return this code. Built with
// FAKE_HIP_NO_COUNT, it lacks hipGetDeviceCount.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

int failure(const char* call) {
  const char* list = std::getenv("FAKE_HIP_FAIL");
  const std::size_t length = std::strlen(call);
  for (const char* at = list; at != nullptr; at = std::strchr(at, ',')) {
    if (*at == ',') ++at;
    if (std::strncmp(at, call, length) == 0 && at[length] == ':') return std::atoi(at + length + 1);
  }
  return 0;
}

}  // namespace

EXPORT int hipInit(unsigned) { return failure("hipInit"); }

#ifndef FAKE_HIP_NO_COUNT
EXPORT int hipGetDeviceCount(int* count) {
  const char* wanted = std::getenv("FAKE_HIP_DEVICES");
  *count = wanted == nullptr ? 1 : std::atoi(wanted);
  return failure("hipGetDeviceCount");
}
#endif

EXPORT int hipDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, static_cast<std::size_t>(length), "Fake Instinct %d", device);
  return failure("hipDeviceGetName");
}

EXPORT int hipDeviceTotalMem(std::size_t* bytes, int) {
  *bytes = std::size_t{64} << 30;
  return failure("hipDeviceTotalMem");
}

// Numbers of hipDeviceAttribute_t: cache, threads of a block, multiprocessors, shared memory, warp.
EXPORT int hipDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 19:
      *value = 8 << 20;
      break;
    case 56:
      *value = 512;
      break;
    case 63:
      *value = 104;
      break;
    case 74:
      *value = 32768;
      break;
    case 87:
      *value = 64;
      break;
    default:
      return 1;
  }
  return failure("hipDeviceGetAttribute");
}

// The architecture's name at its place in hipDeviceProp_tR0600.
EXPORT int hipGetDevicePropertiesR0600(void* properties, int) {
  std::memset(properties, 0, 1472);
  std::strcpy(static_cast<char*>(properties) + 1160, "gfx90a:sramecc+:xnack-");
  return failure("hipGetDevicePropertiesR0600");
}

EXPORT int hipDriverGetVersion(int* version) {
  *version = 60241134;
  return failure("hipDriverGetVersion");
}

EXPORT int hipRuntimeGetVersion(int* version) {
  *version = 60342131;
  return failure("hipRuntimeGetVersion");
}

EXPORT const char* hipGetErrorName(int code) {
  return code == 100 ? "hipErrorNoDevice" : "hipErrorUnknown";
}

EXPORT int hiprtcVersion(int* major, int* minor) {
  *major = 6;
  *minor = 3;
  return failure("hiprtcVersion");
}

EXPORT int ncclGetVersion(int* version) {
  *version = 22105;
  return failure("ncclGetVersion");
}
