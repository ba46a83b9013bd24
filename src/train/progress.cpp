#include <cstdio>
#include <memory>
#include <utility>
#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include "spiraltorch/base/text.hpp"
#include "spiraltorch/train/fit.hpp"
#include "train/trainer_state.hpp"

namespace spiraltorch {
namespace {

constexpr double kRedrawSeconds = 0.1;

std::string number(const char* format, double value) {
  char out[32];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

std::string line_of(const ProgressEvent& e) {
  std::string line = text("epoch ", e.epoch + 1, "/", e.epochs);
  if (!e.epoch_ended) {
    line += text("  batch ", e.batch);
    if (e.batches) line += text("/", *e.batches);
  }
  line += text("  loss ", number("%.6g", e.stats.average_loss));
  if (e.validation) line += text("  validation ", number("%.6g", e.validation->average_loss));
  line += text("  ", number("%.0f", e.stats.samples_per_second), " samples/s");
  if (e.seconds_left && *e.seconds_left >= 0.5) {
    line += text("  ", number("%.0f", *e.seconds_left), " s left");
  }
  return line;
}

bool is_terminal() {
#if defined(__unix__) || defined(__APPLE__)
  return isatty(2) != 0;
#else
  return false;
#endif
}

}  // namespace

Progress text_progress(std::function<void(std::string_view)> write, bool live) {
  struct Shown {
    train::Stopwatch watch{};
    double last = -1.0;
    std::size_t width = 0;
  };
  return [write = std::move(write), live,
          shown = std::make_shared<Shown>()](const ProgressEvent& event) {
    if (!live) {
      if (event.epoch_ended) write(line_of(event) + "\n");
      return;
    }
    const double now = shown->watch.seconds();
    if (!event.epoch_ended && shown->last >= 0 && now - shown->last < kRedrawSeconds) return;
    shown->last = now;
    std::string line = line_of(event);
    const std::size_t width = line.size();
    if (width < shown->width) line.append(shown->width - width, ' ');
    shown->width = event.epoch_ended ? 0 : width;
    write("\r" + line + (event.epoch_ended ? "\n" : ""));
  };
}

Progress standard_progress() {
  return text_progress(
      [](std::string_view line) {
        std::fwrite(line.data(), 1, line.size(), stderr);
        std::fflush(stderr);
      },
      is_terminal());
}

}  // namespace spiraltorch
