// Times the core from C++: bench_core [threads…]. One line a measurement: name, threads, seconds,
// and a rate. The Python driver bench/bench_core.py times the same work beside its peers.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <spiraltorch/geometry/poincare_ball.hpp>
#include <spiraltorch/runtime/parallel.hpp>
#include <spiraltorch/zspace/barycenter.hpp>
#include <spiraltorch/zspace/language_wave_encoder.hpp>
#include <string>
#include <vector>

#include "timing.hpp"

using namespace spiraltorch;

namespace {

void print(const std::string& name, double seconds, double rate, const char* unit) {
  std::printf("%-28s %2d threads  %10.4f ms  %10.2f %s\n", name.c_str(), thread_count(),
              1e3 * seconds, rate, unit);
}

void bench_matmul() {
  for (const std::int64_t n : {64, 128, 256, 512, 1024, 2048}) {
    const Tensor a = Tensor::rand(n, n, 1);
    const Tensor b = Tensor::rand(n, n, 2);
    const double s = median_seconds([&] { (void)a.matmul(b); });
    const auto flops = 2.0 * static_cast<double>(n) * static_cast<double>(n * n);
    print("matmul " + std::to_string(n), s, flops / s / 1e9, "GFLOP/s");
  }
}

void bench_elementwise() {
  const Tensor a = Tensor::rand(1000, 10000, 1);
  const Tensor b = Tensor::rand(1000, 10000, 2);
  double s = median_seconds([&] { (void)a.add(b); });
  print("add 1e7, allocating", s, 12e7 / s / 1e9, "GB/s");
  s = median_seconds([&] { (void)a.sum(); });
  print("sum 1e7 (one read)", s, 4e7 / s / 1e9, "GB/s");
  s = median_seconds([&] { (void)a.exp(); });
  print("exp 1e7", s, 1e7 / s / 1e9, "G elements/s");
  const Tensor rows = Tensor::randn(4096, 1024, 3);
  s = median_seconds([&] { (void)rows.softmax(); });
  print("softmax 4096x1024", s, 4096.0 * 1024 / s / 1e9, "G elements/s");
}

void bench_geometry() {
  const PoincareBall ball(-1.0);
  const Tensor x = ball.expmap0(Tensor::randn(100000, 10, 1) * 0.2);
  const Tensor y = ball.expmap0(Tensor::randn(100000, 10, 2) * 0.2);
  const Tensor v = Tensor::randn(100000, 10, 3) * 0.1;
  double s = median_seconds([&] { (void)ball.dist(x, y); });
  print("dist 100000x10", s, 0.1 / s, "M pairs/s");
  s = median_seconds([&] { (void)ball.expmap(x, v); });
  print("expmap 100000x10", s, 0.1 / s, "M rows/s");
  // The same traffic with next to no arithmetic: the bandwidth floor of both.
  s = median_seconds([&] { (void)x.hadamard(y); });
  print("two reads, one write", s, 12e6 / s / 1e9, "GB/s");
}

void bench_zspace() {
  const LanguageWaveEncoder encoder(-1.0, 0.5);
  for (const std::size_t bytes :
       {std::size_t{10000}, std::size_t{100000}, std::size_t{1000000}, std::size_t{1000003}}) {
    std::string text(bytes, 'a');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * i) % 26);
    const double s = median_seconds([&] { (void)encoder.encode_z_space(text); });
    print("encode_z_space " + std::to_string(bytes), s, static_cast<double>(bytes) / s / 1e6,
          "MB/s");
  }
  std::vector<Tensor> densities;
  for (unsigned u = 0; u < 16; ++u) densities.push_back(Tensor::rand(1, 1024, u));
  const double s = median_seconds([&] { (void)z_space_barycenter(densities); });
  print("barycenter 16x1024", s, 1 / s, "1/s");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int i = 1; i < argc; ++i) threads.push_back(std::atoi(argv[i]));
  if (threads.empty()) threads = {1, 2};
  for (const int count : threads) {
    set_thread_count(count);
    bench_matmul();
    bench_elementwise();
    bench_geometry();
    bench_zspace();
  }
  return 0;
}
