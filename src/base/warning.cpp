#include "spiraltorch/base/warning.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <string>

namespace spiraltorch {
namespace {
std::atomic<WarningHandler> handler_slot{nullptr};
}

WarningHandler set_warning_handler(WarningHandler handler) noexcept {
  return handler_slot.exchange(handler);
}

void warn(std::string_view message) {
  if (const auto handler = handler_slot.load()) handler(message);
}

bool warn_once(std::string_view message) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> given;
  {
    const std::lock_guard lock(mutex);
    if (!given.emplace(message).second) return false;
  }
  warn(message);
  return true;
}

}  // namespace spiraltorch
