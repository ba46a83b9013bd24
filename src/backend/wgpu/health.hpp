#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "backend/wgpu/native.hpp"

namespace spiraltorch::wgpu {

/// What the device's callbacks report, from any thread. An error is raised once, by the next call
/// that checks; a loss by every later call.
class Health {
 public:
  void report(std::string message);
  void report_loss(std::string message);
  /// Throws `device` with the device's name and what was reported.
  void check(std::string_view op, int index);
  /// Removes the error that waits to be raised: for a call that knows it as its own.
  [[nodiscard]] std::string take();
  [[nodiscard]] bool lost();

 private:
  std::mutex mutex_;
  std::string error_;
  std::string loss_;
};

/// What an error scope has caught: kind and message, or an empty message.
struct Caught {
  WGPUErrorType type = WGPUErrorType_NoError;
  std::string message;
};

/// Runs `body` inside error scopes for validation and memory. wgpu-native aborts on a scope for
/// internal errors: those reach `Health`.
template <class Body>
Caught catch_errors(WGPUDevice device, Body&& body) {
  const Api& w = api();
  constexpr WGPUErrorFilter kFilters[] = {WGPUErrorFilter_OutOfMemory, WGPUErrorFilter_Validation};
  for (const WGPUErrorFilter filter : kFilters) w.DevicePushErrorScope(device, filter);
  body();
  Caught out;
  for (std::size_t i = 0; i < std::size(kFilters); ++i) {
    Caught one;
    WGPUPopErrorScopeCallbackInfo info = WGPU_POP_ERROR_SCOPE_CALLBACK_INFO_INIT;
    info.mode = WGPUCallbackMode_AllowSpontaneous;
    info.userdata1 = &one;
    info.callback = [](WGPUPopErrorScopeStatus, WGPUErrorType type, WGPUStringView message,
                       void* to, void*) {
      *static_cast<Caught*>(to) = {type, to_string(message)};
    };
    w.DevicePopErrorScope(device, info);  // calls back before it returns
    if (one.type != WGPUErrorType_NoError && out.message.empty()) out = one;
  }
  return out;
}

}  // namespace spiraltorch::wgpu
