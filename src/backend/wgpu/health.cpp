#include "backend/wgpu/health.hpp"

#include <utility>

#include "spiraltorch/base/device.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::wgpu {

void Health::report(std::string message) {
  const std::lock_guard lock(mutex_);
  if (error_.empty()) error_ = std::move(message);
}

void Health::report_loss(std::string message) {
  const std::lock_guard lock(mutex_);
  if (loss_.empty()) loss_ = message.empty() ? "no reason given" : std::move(message);
}

std::string Health::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(error_, {});
}

bool Health::lost() {
  const std::lock_guard lock(mutex_);
  return !loss_.empty();
}

void Health::check(std::string_view op, int index) {
  std::string message;
  {
    const std::lock_guard lock(mutex_);
    if (!loss_.empty()) {
      message = text("is lost (", loss_, "); its tensors are gone, others stay valid");
    } else if (!error_.empty()) {
      message = text("failed: ", error_);
      error_.clear();
    }
  }
  if (message.empty()) return;
  fail(Errc::device, op, text("device ", to_text(DeviceId{DeviceType::wgpu, index}), ' ', message));
}

}  // namespace spiraltorch::wgpu
