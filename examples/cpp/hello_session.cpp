// Aligns a barycenter with a hypergrad tape: a hundred Riemannian steps from the mean of two
// densities towards their barycenter.
#include <cstdio>
#include <exception>
#include <vector>

#include "spiraltorch/session/spiral_session.hpp"

namespace st = spiraltorch;

namespace {

void align() {
  const st::SpiralSession session({.curvature = -1.0, .hyper_learning_rate = 0.05, .seed = 0});
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

}  // namespace

int main() {
  try {
    align();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
