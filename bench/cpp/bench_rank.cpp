// Times every feasible algorithm of rank selection on the grid of docs/results.md beside one
// streaming read of the same bytes on the same threads: bench_rank [kind | sorted].
// "bench_rank floor ROWS COLS" prints the read alone.
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "spiraltorch/ops/rank.hpp"
#include "spiraltorch/ops/reduce.hpp"
#include "spiraltorch/runtime/backend.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "timing.hpp"

using namespace spiraltorch;

namespace {

struct Row {
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t k;
};

constexpr Row kGrid[] = {{1, 10000000, 100}, {64, 65536, 128},    {1024, 65536, 32},
                         {4096, 4096, 64},   {1000, 100000, 256}, {16, 1000000, 2048},
                         {1, 100000, 1},     {100000, 128, 8}};

// The least that a pass over the bytes can cost: an unrolled xor of 64-bit words.
double streaming_read(const Tensor& x) {
  const auto host = x.host();
  const std::int64_t words = x.size() / 2;
  std::vector<std::uint64_t> sink(static_cast<std::size_t>(thread_count()) * 16);
  return median_seconds([&] {
    parallel_for(words, 4096, [&](std::int64_t begin, std::int64_t end) {
      const char* at = reinterpret_cast<const char*>(host.get());
      std::uint64_t a[8] = {};
      for (std::int64_t i = begin; i + 8 <= end; i += 8) {
        __builtin_prefetch(at + 8 * i + 2048);
        std::uint64_t w[8];
        std::memcpy(w, at + 8 * i, sizeof w);
        for (int j = 0; j < 8; ++j) a[j] ^= w[j];
      }
      std::uint64_t out = 0;
      for (const std::uint64_t v : a) out ^= v;
      sink[static_cast<std::size_t>(begin * thread_count() / words) * 8] = out;
    });
  });
}

void bench(const Row& row, RankKind kind, const Tensor& x, double floor, const char* data) {
  const DeviceCaps caps = find_backend(DeviceType::cpu)->driver->describe(0);
  const RankProblem q{kind, row.rows, row.cols, row.k};
  const RankPlan ruled = plan(q, caps);
  std::printf("%-8s %9lldx%-9lld k=%-5lld %-10s floor %8.3f ms |",
              std::string(to_text(kind)).c_str(), static_cast<long long>(row.rows),
              static_cast<long long>(row.cols), static_cast<long long>(row.k), data, floor * 1e3);
  double best = 1e300;
  double chosen = 0.0;
  for (const RankAlgorithm a : feasible_algorithms(q, caps)) {
    const auto p = std::make_shared<const RankPlan>(replace(ruled, caps, {.algorithm = a}));
    const double t = median_seconds([&] { (void)rank(p, x); });
    best = std::min(best, t);
    if (a == ruled->algorithm) chosen = t;
    std::printf(" %s %.3f", std::string(to_text(a)).c_str(), t * 1e3);
  }
  std::printf(" | auto %s %.2fx floor, %.2fx best\n",
              std::string(to_text(ruled->algorithm)).c_str(), chosen / floor, chosen / best);
  std::fflush(stdout);
}

Tensor ascending(const Row& row) {
  std::vector<float> values(static_cast<std::size_t>(row.rows * row.cols));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<std::int64_t>(i) % row.cols);
  }
  return {row.rows, row.cols, std::span<const float>(values)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  if (only == "floor") {  // rows and cols follow: prints milliseconds, for bench_rank.py
    const Tensor x = Tensor::rand(std::stoll(argv[2]), std::stoll(argv[3]), 1);
    std::printf("%.6f\n", streaming_read(x) * 1e3);
    return 0;
  }
  std::printf("%d threads, %s\n", thread_count(),
              find_backend(DeviceType::cpu)->driver->describe(0).arch.c_str());
  for (const Row& row : kGrid) {
    const Tensor x = Tensor::randn(row.rows, row.cols, 1);
    const double floor = streaming_read(x);
    for (const RankKind kind : {RankKind::topk, RankKind::bottomk, RankKind::midk}) {
      if (!only.empty() && only != to_text(kind)) continue;
      bench(row, kind, x, floor, "normal");
    }
    if (only.empty() || only == "midk") {
      bench({row.rows, row.cols, 1}, RankKind::midk, x, floor, "normal");
    }
    if (only.empty() || only == "sorted") {
      bench(row, RankKind::topk, ascending(row), floor, "ascending");
    }
  }
}
