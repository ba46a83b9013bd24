#include "fake.hpp"

// What differs between the variants of the library: FAKE_WGPU_OLD, FAKE_WGPU_NO_EVENTS.
FAKE_EXPORT std::uint32_t wgpuGetVersion() {
  fake::use("GetVersion");
#ifdef FAKE_WGPU_OLD
  return 22U << 24U | 1U << 16U;
#else
  return 29U << 24U | 1U;
#endif
}

#ifndef FAKE_WGPU_NO_EVENTS
void wgpuInstanceProcessEvents(WGPUInstance) { fake::use("InstanceProcessEvents"); }
#endif
