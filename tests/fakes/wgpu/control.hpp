#pragma once

#include <cstdint>

// What tests say to the fake, and ask it: found by dlsym. `adapter` counts in the order of
// FAKE_WGPU_ADAPTERS, which is not that of "wgpu:N".
extern "C" {
/// The n-th use of `call` from now on fails so ("validation", "memory", "uncaptured", "lost",
/// "null"); 0 = every use.
void fake_wgpu_fail(const char* call, int nth, const char* kind, const char* message);
/// Forgets what was to fail.
void fake_wgpu_forgive();
/// How often a call was used.
int fake_wgpu_uses(const char* call);
/// The device of an adapter is lost, or meets an error outside of any call.
void fake_wgpu_lose(int adapter, const char* message);
void fake_wgpu_error(int adapter, const char* message);
/// Submissions so far, and the shaders' names of one: "add,add,copy".
int fake_wgpu_submissions(int adapter);
const char* fake_wgpu_submission(int adapter, int index);
/// Buffers that are alive.
int fake_wgpu_buffers(int adapter);
/// Forbidden uses so far, one a line.
const char* fake_wgpu_violations();
}
