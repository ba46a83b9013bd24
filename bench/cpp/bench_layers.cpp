// Times the layers of the ball from C++: bench_layers [threads…]. Microseconds of forward and of
// backward with gradients by input and parameters, medians.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <spiraltorch/nn/hyperbolic.hpp>
#include <spiraltorch/runtime/parallel.hpp>
#include <spiraltorch/tensor/autograd.hpp>
#include <string>
#include <vector>

using namespace spiraltorch;

namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double>& v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return 1e6 * v[v.size() / 2];
}

void bench(const std::string& name, nn::Module& layer, std::int64_t batch, std::int64_t in,
           std::int64_t out) {
  Tensor x = Tensor::randn(batch, in, 1).scale(0.05);
  x.requires_grad_();
  const Tensor g = Tensor::randn(batch, out, 2);
  auto parameters = layer.parameters();
  std::vector<double> forward;
  std::vector<double> backward;
  const auto since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  const auto start = Clock::now();
  while (forward.size() < 20 || since(start) < 1.0) {
    auto t = Clock::now();
    const Tensor y = layer.forward(x);
    forward.push_back(since(t));
    t = Clock::now();
    y.backward(g);
    backward.push_back(since(t));
    x.zero_grad();
    for (nn::Parameter& p : parameters) p.zero_grad();
  }
  const double f = median(forward);
  const double b = median(backward);
  std::printf("%-22s batch %4d, %d threads: forward %8.1f  backward %8.1f  both %8.1f us\n",
              name.c_str(), static_cast<int>(batch), thread_count(), f, b, f + b);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int i = 1; i < argc; ++i) threads.push_back(std::atoi(argv[i]));
  if (threads.empty()) threads = {1, 2};
  for (const int count : threads) {
    set_thread_count(count);
    nn::PoincareMLR mlr(64, 10);
    nn::PoincareLinear linear(64, 64);
    nn::PoincareMLR wide(512, 1000);
    bench("PoincareMLR(64, 10)", mlr, 256, 64, 10);
    bench("PoincareMLR(512, 1000)", wide, 256, 512, 1000);
    bench("PoincareLinear(64, 64)", linear, 256, 64, 64);
    bench("PoincareLinear(64, 64)", linear, 1024, 64, 64);
  }
  return 0;
}
