// Aligns a barycenter with a hypergrad tape, then trains one roundtable epoch.
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "spiraltorch/data/sources.hpp"
#include "spiraltorch/nn/linear.hpp"
#include "spiraltorch/session/spiral_session.hpp"

namespace st = spiraltorch;

namespace {

void align(const st::SpiralSession& session) {
  const std::vector<st::Tensor> densities{st::Tensor(1, 2, {0.7F, 0.3F}),
                                          st::Tensor(1, 2, {0.2F, 0.8F})};
  const st::ZSpaceBarycenter barycenter = session.barycenter(densities);
  st::Tensor weights = barycenter.intermediates.front().density.clone();
  st::Hypergrad tape = session.hypergrad(weights.rows(), weights.cols());
  const auto gap = [&] { return (weights - barycenter.density).norm().item(); };

  const double start = gap();
  for (int i = 0; i < 100; ++i) {
    session.align_hypergrad(tape, barycenter);
    tape.apply(weights);
  }
  std::printf("barycenter objective %.6f, gap %.4f -> %.4f\n", barycenter.objective, start, gap());
}

void train(const st::SpiralSession& session) {
  const auto model = session.prepare_module(std::make_shared<st::nn::Linear>(2, 2, "layer"));
  const st::nn::MeanSquaredError loss;
  const auto trainer = session.trainer();
  const st::Tensor points(2, 2, {0, 1, 1, 0});
  const auto loader =
      st::dataset::from_tensors(points, points).shuffle(0xC0FFEE).batched(2).prefetch(2);
  const st::RoundtableSchedule schedule = session.roundtable(1, 2);

  const double before = trainer->evaluate(model, loss, loader).average_loss;
  const auto stats = session.train_epoch(*trainer, model, loss, loader, &schedule);
  const double after = trainer->evaluate(model, loss, loader).average_loss;
  std::printf("roundtable loss %.6f -> %.6f over %lld batches\n", before, after,
              static_cast<long long>(stats.batches));
}

}  // namespace

int main() {
  try {
    const st::SpiralSession session({.curvature = -1.0, .hyper_learning_rate = 0.05, .seed = 0});
    align(session);
    train(session);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
