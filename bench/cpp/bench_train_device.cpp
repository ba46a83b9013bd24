// Times whole training steps of the trainer on a device: bench_train_device [device]. Batches are
// on the device already; per network the milliseconds of a step, the best of several epochs.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <spiraltorch/nn/activation.hpp>
#include <spiraltorch/nn/linear.hpp>
#include <spiraltorch/nn/loss.hpp>
#include <spiraltorch/nn/sequential.hpp>
#include <spiraltorch/runtime/backend.hpp>
#include <spiraltorch/train/trainer.hpp>
#include <string>
#include <vector>

using namespace spiraltorch;

namespace {

struct Work {
  std::int64_t in, hidden, out, batch, steps;
};

void bench(const Work& w, DeviceId device) {
  const auto model = std::make_shared<nn::Sequential>(std::vector<nn::ModulePtr>{
      std::make_shared<nn::Linear>(w.in, w.hidden, "first"), std::make_shared<nn::Relu>(),
      std::make_shared<nn::Linear>(w.hidden, w.out, "second")});
  for (nn::Parameter& p : model->parameters()) p.move_to(device);
  ModuleTrainer trainer({.optimizer = std::make_shared<optim::SGD>(model->parameters())});
  const Batch batch{Tensor::randn(w.batch, w.in, 1).to(device),
                    Tensor::randn(w.batch, w.out, 2).to(device)};
  const EpochSource source([&] {
    return NextBatch([&, left = w.steps]() mutable -> std::optional<Batch> {
      if (left-- == 0) return {};
      return batch;
    });
  });
  const nn::MeanSquaredError loss;
  double best = 1e9;
  for (int epoch = 0; epoch < 8; ++epoch) {
    const EpochStats stats = trainer.train_epoch(model, loss, source);
    if (epoch > 0) best = std::min(best, stats.seconds / static_cast<double>(w.steps));
  }
  std::printf("%lld-%lld-%lld, batch %lld: %.4f ms a step, loss %.6f\n",
              static_cast<long long>(w.in), static_cast<long long>(w.hidden),
              static_cast<long long>(w.out), static_cast<long long>(w.batch), 1e3 * best,
              trainer.last_stats()->average_loss);
}

}  // namespace

int main(int argc, char** argv) {
  const DeviceId device = resolve_device("bench_train_device", argc > 1 ? argv[1] : "auto", true);
  bench({64, 64, 10, 64, 200}, device);
  bench({784, 512, 10, 256, 100}, device);
  bench({1024, 4096, 1024, 1024, 20}, device);
  return 0;
}
