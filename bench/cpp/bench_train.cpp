// Times a training step from C++: bench_train [threads…]. Per network and part of the step, the
// microseconds of one batch, medians of epochs; then samples a second of whole epochs, and those of
// ModuleTrainer.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <spiraltorch/data/sources.hpp>
#include <spiraltorch/nn/activation.hpp>
#include <spiraltorch/nn/linear.hpp>
#include <spiraltorch/nn/loss.hpp>
#include <spiraltorch/nn/sequential.hpp>
#include <spiraltorch/optim/optimizer.hpp>
#include <spiraltorch/runtime/parallel.hpp>
#include <spiraltorch/tensor/autograd.hpp>
#include <spiraltorch/train/trainer.hpp>
#include <string>
#include <vector>

#include "timing.hpp"

using namespace spiraltorch;

namespace {

using Clock = std::chrono::steady_clock;

struct Work {
  std::string name;
  std::int64_t in, hidden, out, batch, samples;
};

enum Part : std::size_t { load, forward, loss, backward, update, parts };
constexpr std::array<const char*, parts> kParts{"load", "forward", "loss", "backward", "update"};
using Times = std::array<double, parts>;

struct Network {
  explicit Network(const Work& w)
      : module(std::make_shared<nn::Sequential>(std::vector<nn::ModulePtr>{
            std::make_shared<nn::Linear>(w.in, w.hidden, "first"), std::make_shared<nn::Relu>(),
            std::make_shared<nn::Linear>(w.hidden, w.out, "second")})),
        parameters(module->parameters()) {}
  std::shared_ptr<nn::Sequential> module;
  std::vector<nn::Parameter> parameters;
};

// Seconds of each part of an epoch.
Times epoch(Network& net, const nn::Loss& criterion, const DataLoader& batches) {
  Times times{};
  auto last = Clock::now();
  const auto lap = [&](Part part) {
    const auto now = Clock::now();
    times[part] += std::chrono::duration<double>(now - last).count();
    last = now;
  };
  auto iterator = batches.iter();
  while (const auto batch = iterator.next()) {
    lap(load);
    const Tensor output = net.module->forward(batch->input);
    lap(forward);
    const auto [value, gradient] = criterion.value_and_gradient(output, batch->target);
    (void)value.item();
    lap(loss);
    output.backward(gradient);
    lap(backward);
    const NoGrad guard;
    for (nn::Parameter& p : net.parameters) {
      p.add_scaled_inplace(*p.grad(), -0.01);
      p.zero_grad();
    }
    lap(update);
  }
  lap(load);
  return times;
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// Seconds of an epoch of ModuleTrainer with SGD.
double trainer_seconds(const Work& w, const DataLoader& loader) {
  const Network net(w);
  ModuleTrainer trainer(
      {.optimizer = std::make_shared<optim::SGD>(net.parameters, optim::SgdOptions{.lr = 0.01})});
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < 6 || Clock::now() - start < std::chrono::seconds(2)) {
    times.push_back(trainer.train_epoch(net.module, nn::MeanSquaredError(), loader).seconds);
  }
  return median(times);
}

void bench(const Work& w) {
  Network net(w);
  const nn::MeanSquaredError criterion;
  const Tensor x = Tensor::randn(w.samples, w.in, 1);
  const Tensor y = Tensor::randn(w.samples, w.out, 2);
  const auto loader = dataset::from_tensors(x, y).shuffle(1).batched(w.batch);
  std::array<std::vector<double>, parts + 1> all;
  const auto start = Clock::now();
  (void)epoch(net, criterion, loader);
  while (all[0].size() < 5 || Clock::now() - start < std::chrono::seconds(2)) {
    const Times times = epoch(net, criterion, loader);
    for (std::size_t i = 0; i < parts; ++i) all[i].push_back(times[i]);
    all[parts].push_back(std::accumulate(times.begin(), times.end(), 0.0));
  }
  const auto steps = static_cast<double>((w.samples + w.batch - 1) / w.batch);
  std::printf("%-12s %d threads:", w.name.c_str(), thread_count());
  for (std::size_t i = 0; i < parts; ++i)
    std::printf("  %s %.2f", kParts[i], 1e6 * median(all[i]) / steps);
  const double whole = median(all[parts]);
  const double trainer = trainer_seconds(w, loader);
  const auto rate = [&](double seconds) { return 1e-6 * static_cast<double>(w.samples) / seconds; };
  std::printf("  all %.2f us a step, %.3f M samples/s; trainer %.2f us, %.3f M samples/s\n",
              1e6 * whole / steps, rate(whole), 1e6 * trainer / steps, rate(trainer));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int i = 1; i < argc; ++i) threads.push_back(std::atoi(argv[i]));
  if (threads.empty()) threads = {1, 2};
  for (const int count : threads) {
    set_thread_count(count);
    bench({"64-64-10", 64, 64, 10, 64, 10000});
    bench({"784-512-10", 784, 512, 10, 256, 10240});
  }
  return 0;
}
