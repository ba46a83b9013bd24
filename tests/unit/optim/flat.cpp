#include "spiraltorch/runtime/parallel.hpp"
#include "support.hpp"

using namespace optim_test;

namespace {

// The rule as the papers write it, one number after the other.
struct Reference {
  const optim::ParamGroup& k;
  bool adam, decoupled;
  double m = 0, u = 0, most = 0;
  int t = 0;

  double operator()(double w, double g) {
    ++t;
    double h = g;
    if (k.weight_decay != 0 && !decoupled) h += k.weight_decay * w;
    if (!adam) {
      m = k.momentum * m + h;
      return w - k.lr * (k.nesterov ? h + k.momentum * m : m);
    }
    if (decoupled) w *= 1 - k.lr * k.weight_decay;
    m = k.beta1 * m + (1 - k.beta1) * h;
    u = k.beta2 * u + (1 - k.beta2) * h * h;
    most = std::max(most, u);
    const double corrected = (k.amsgrad ? most : u) / (1 - std::pow(k.beta2, t));
    return w - k.lr * (m / (1 - std::pow(k.beta1, t))) / (std::sqrt(corrected) + k.eps);
  }
};

void compare(optim::ParamGroup group, bool adam, bool decoupled, std::int64_t cols) {
  CAPTURE(cols);
  nn::Parameter p(Tensor::randn(3, cols, 1));
  group.params = {p};
  std::unique_ptr<optim::Optimizer> optimizer;
  const std::vector<optim::ParamGroup> groups{group};
  if (!adam) optimizer = std::make_unique<optim::SGD>(groups);
  if (adam && !decoupled) optimizer = std::make_unique<optim::Adam>(groups);
  if (decoupled) optimizer = std::make_unique<optim::AdamW>(groups);
  std::vector<Reference> rules(static_cast<std::size_t>(p.size()),
                               Reference{.k = group, .adam = adam, .decoupled = decoupled});
  std::vector<double> want;
  for (const float v : p.data()) want.push_back(v);
  for (std::uint64_t t = 0; t < 6; ++t) {
    p.set_grad(Tensor::randn(3, cols, 10 + t));
    const auto g = p.grad()->data();
    optimizer->step();
    const auto got = p.data();
    for (std::size_t i = 0; i < want.size(); ++i) {
      want[i] = rules[i](want[i], g[i]);
      CAPTURE(i);
      CHECK(std::abs(got[i] - want[i]) <= 2e-6 * (1 + std::abs(want[i])));
    }
  }
}

}  // namespace

TEST_CASE("flat rules follow a plain loop at every length") {
  for (const std::int64_t cols : {1, 2, 5, 8, 13, 33}) {
    compare({.params = {}, .lr = 0.1}, false, false, cols);
    compare({.params = {}, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.1}, false, false, cols);
    compare({.params = {}, .lr = 0.1, .momentum = 0.8, .nesterov = true}, false, false, cols);
    compare({.params = {}, .lr = 0.1}, true, false, cols);
    compare({.params = {}, .lr = 0.1, .weight_decay = 0.2, .beta2 = 0.5, .amsgrad = true}, true,
            false, cols);
    compare({.params = {}, .lr = 0.1, .weight_decay = 0.5}, true, true, cols);
  }
}

TEST_CASE("steps do not depend on the number of threads") {
  const int before = thread_count();
  const auto run = [](int threads, const Manifold& manifold) {
    set_thread_count(threads);
    nn::Parameter p(points(5000, 7, 1.0, 3), manifold);
    optim::Adam optimizer({p}, {.lr = 0.1, .weight_decay = 0.1});
    for (std::uint64_t t = 0; t < 2; ++t) {
      p.set_grad(Tensor::randn(5000, 7, 20 + t));
      optimizer.step();
    }
    return p.clone();
  };
  for (const Manifold& manifold : {Manifold(Euclidean()), Manifold(PoincareBall(-1.0))}) {
    const Tensor one = run(1, manifold);
    CHECK(same_bits(one, run(2, manifold)));
    CHECK(same_bits(one, run(5, manifold)));
  }
  set_thread_count(before);
}

TEST_CASE("zeros of either sign keep their bits") {
  nn::Parameter p(Tensor(1, 5, {0.0F, -0.0F, 1e-45F, -0.0F, 2.0F}));
  const Tensor before = p.clone();
  optim::SGD plain({p});
  p.set_grad(Tensor(1, 5, {0.0F, -0.0F, 0.0F, 0.0F, -0.0F}));
  plain.step();
  CHECK(same_bits(p, before));
  optim::Adam adam({p});
  adam.step();
  CHECK(same_bits(p, before));
}
