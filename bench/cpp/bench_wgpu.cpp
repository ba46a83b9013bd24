// Times operations on a WebGPU adapter: bench_wgpu [--device wgpu] [name...]. Prints one line a
// figure: name, milliseconds, and the rate (TFLOP/s, or GB/s of bytes read and written). Calls are
// enqueued and waited for once; the median of rounds is printed. `bench/bench_wgpu.py` runs it
// beside PyTorch on the same card.
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/ops/elementwise.hpp"
#include "spiraltorch/ops/matrix.hpp"
#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/probe.hpp"
#include "spiraltorch/tensor/tensor.hpp"
#include "timing.hpp"

namespace st = spiraltorch;

namespace {

st::DeviceId device;

st::Tensor random(std::int64_t rows, std::int64_t cols, double scale = 1.0) {
  return st::ops::scale(st::Tensor::randn(rows, cols, 1).to(device), scale);
}

// One repeat block, so that the host need not make gigabytes of random numbers.
st::Tensor wide(std::int64_t rows, std::int64_t cols) {
  const std::int64_t piece = std::min<std::int64_t>(rows, 1 + (1 << 24) / cols);
  std::vector<st::Tensor> parts;
  const st::Tensor block = random(piece, cols);
  for (std::int64_t r = 0; r < rows; r += piece) {
    const std::int64_t count = std::min(piece, rows - r);
    parts.push_back(count == piece ? block : random(count, cols));
  }
  return parts.size() == 1 ? parts[0] : st::Tensor::cat_rows(parts);
}

// Seconds of one of `repeats` calls enqueued together.
double seconds(int repeats, const std::function<void()>& call) {
  return median_seconds([&] {
           for (int i = 0; i < repeats; ++i) call();
           st::synchronize(device);
         }) /
         repeats;
}

struct Figure {
  std::string name;
  std::function<void(const std::string&)> run;
};

void print(const std::string& name, double s, double amount, const char* unit) {
  std::printf("%-28s %10.4f ms %10.2f %s\n", name.c_str(), s * 1e3, amount / s, unit);
  std::fflush(stdout);
}

std::vector<Figure> figures() {
  std::vector<Figure> out;
  out.push_back({"copy 1 GiB", [](const std::string& name) {
                   const auto a = st::Tensor::zeros(1 << 14, 1 << 14, {.device = device});
                   const auto b = st::Tensor::zeros(1 << 14, 1 << 14, {.device = device});
                   const double bytes = 4.0 * static_cast<double>(a.size());
                   print(name,
                         seconds(5,
                                 [&] {
                                   st::copy_bytes(*a.buffer(), 0, *b.buffer(), 0,
                                                  static_cast<std::size_t>(bytes));
                                 }),
                         2e-9 * bytes, "GB/s");
                 }});
  for (const std::int64_t n : {512, 1024, 4096}) {
    out.push_back({"matmul " + std::to_string(n), [n](const std::string& name) {
                     const auto a = random(n, n);
                     const auto b = random(n, n);
                     const double flops = 2e-12 * static_cast<double>(n) * static_cast<double>(n) *
                                          static_cast<double>(n);
                     print(name, seconds(10, [&] { static_cast<void>(st::ops::matmul(a, b)); }),
                           flops, "TFLOP/s");
                   }});
  }
  out.push_back({"matvec 16384", [](const std::string& name) {
                   const auto a = wide(1 << 14, 1 << 14);
                   const auto x = random(1 << 14, 1);
                   print(name, seconds(10, [&] { static_cast<void>(st::ops::matmul(a, x)); }),
                         4e-9 * static_cast<double>(a.size()), "GB/s");
                 }});
  const auto elementwise = [&](const char* label, double streams, auto op) {
    out.push_back({label, [streams, op](const std::string& name) {
                     const auto x = wide(1 << 13, 1 << 13);
                     const auto y = wide(1 << 13, 1 << 13);
                     print(name, seconds(10, [&] { op(x, y); }),
                           streams * 4e-9 * static_cast<double>(x.size()), "GB/s");
                   }});
  };
  elementwise("add 64M", 3, [](auto& x, auto& y) { static_cast<void>(st::ops::add(x, y)); });
  elementwise("exp 64M", 2, [](auto& x, auto&) { static_cast<void>(st::ops::exp(x)); });
  elementwise("tanh 64M", 2, [](auto& x, auto&) { static_cast<void>(st::ops::tanh(x)); });
  elementwise("softmax 8192x8192", 2,
              [](auto& x, auto&) { static_cast<void>(st::ops::softmax(x)); });
  elementwise("sum 64M", 1, [](auto& x, auto&) { static_cast<void>(st::ops::sum(x)); });
  elementwise("sum rows 8192x8192", 1,
              [](auto& x, auto&) { static_cast<void>(st::ops::sum(x, st::Axis::cols)); });
  elementwise("transpose 8192x8192", 2,
              [](auto& x, auto&) { static_cast<void>(st::ops::transpose(x)); });
  out.push_back({"small add", [](const std::string& name) {
                   const auto x = random(16, 16);
                   const auto y = random(16, 16);
                   print(name, seconds(1000, [&] { static_cast<void>(st::ops::add(x, y)); }), 1e-6,
                         "M calls/s");
                 }});
  const auto ball = [&](const char* label, double streams, auto op) {
    out.push_back({label, [streams, op](const std::string& name) {
                     const auto x = st::ops::scale(wide(1000000, 64), 0.05);
                     const auto y = st::ops::scale(wide(1000000, 64), 0.07);
                     print(name, seconds(10, [&] { op(x, y); }),
                           streams * 4e-9 * static_cast<double>(x.size()), "GB/s");
                   }});
  };
  ball("dist 1000000x64", 2,
       [](auto& x, auto& y) { static_cast<void>(st::PoincareBall(-1.0).dist(x, y)); });
  ball("expmap 1000000x64", 3,
       [](auto& x, auto& y) { static_cast<void>(st::PoincareBall(-1.0).expmap(x, y)); });
  struct Selection {
    std::int64_t rows, cols, k;
  };
  for (const Selection s : {Selection{64, 65536, 128},
                            {1024, 65536, 32},
                            {1, 10000000, 100},
                            {4096, 4096, 64},
                            {1000, 100000, 256},
                            {16, 1000000, 2048}}) {
    out.push_back({"topk " + std::to_string(s.rows) + "x" + std::to_string(s.cols) + " " +
                       std::to_string(s.k),
                   [s](const std::string& name) {
                     const auto x = wide(s.rows, s.cols);
                     print(name, seconds(10, [&] { static_cast<void>(st::topk(x, s.k)); }),
                           4e-9 * static_cast<double>(x.size()), "GB/s");
                   }});
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::string wanted_device = "wgpu";
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
      wanted_device = argv[++i];
    } else {
      wanted.emplace_back(argv[i]);
    }
  }
  try {
    device = st::resolve_device("bench_wgpu", wanted_device, true);
    const st::DeviceCaps caps = st::describe_device(device);
    std::printf("%s: %s (%s), subgroup %ld, workgroup %ld, shared %ld\n", wanted_device.c_str(),
                caps.name.c_str(), caps.driver.c_str(), static_cast<long>(caps.lane_width),
                static_cast<long>(caps.max_workgroup), static_cast<long>(caps.shared_bytes));
    for (const Figure& f : figures()) {
      bool asked = wanted.empty();
      for (const std::string& w : wanted) asked = asked || f.name.rfind(w, 0) == 0;
      if (!asked) continue;
      try {
        f.run(f.name);
      } catch (const st::Error& e) {
        std::printf("%-28s %s\n", f.name.c_str(), e.what());
      }
    }
  } catch (const st::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
