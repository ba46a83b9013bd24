#include "spiraltorch/zspace/barycenter.hpp"

#include <cmath>

#include "check_error.hpp"
#include "golden.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

ZSpaceBarycenter solve(const Json& in) {
  BarycenterOptions options;
  options.entropy_weight =
      in.contains("entropy_weight") ? golden::number(in.at("entropy_weight")) : 0;
  options.beta_j = in.contains("beta_j") ? golden::number(in.at("beta_j")) : 0;
  if (in.contains("coupling") && !in.at("coupling").is_null()) {
    options.coupling = golden::tensor(in.at("coupling"));
  }
  std::optional<std::vector<double>> weights;
  if (in.contains("weights") && !in.at("weights").is_null())
    weights = golden::flat(in.at("weights"));
  return z_space_barycenter(golden::tensors(in.at("densities")), weights, options);
}

std::vector<Tensor> random_densities(int count, std::int64_t cells) {
  std::vector<Tensor> out;
  for (int u = 0; u < count; ++u) out.push_back(Tensor::rand(1, cells, 100 + unsigned(u)) + 0.05);
  return out;
}

// F(p) by its definition, in double from the densities.
double objective(const std::vector<double>& p, const std::vector<Tensor>& densities,
                 const std::vector<double>& weights, double gamma) {
  double f = 0;
  for (std::size_t u = 0; u < densities.size(); ++u) {
    const auto q = densities[u].data();
    double mass = 0;
    for (const float v : q) mass += v;
    for (std::size_t i = 0; i < p.size(); ++i)
      f += weights[u] * p[i] * std::log(p[i] * mass / q[i]);
  }
  for (const double v : p) f += gamma * v * std::log(v);
  return f;
}

}  // namespace

TEST_CASE("golden barycenters") {
  golden::each_case("barycenter", [](const Json& in, const Json& one) {
    const ZSpaceBarycenter b = solve(in);
    const Json& want = one.at("expected");
    golden::compare(golden::widen(b.density.data()), want.at("density"), one);
    golden::compare({b.kl_energy}, want.at("kl_energy"), one);
    golden::compare({b.entropy}, want.at("entropy"), one);
    golden::compare({b.objective}, want.at("objective"), one);
    golden::compare({b.coupling_energy}, want.at("coupling_energy"), one);
    golden::compare({b.effective_weight}, want.at("effective_weight"), one);
    REQUIRE(b.intermediates.size() == want.at("intermediates").size());
    for (std::size_t k = 0; k < b.intermediates.size(); ++k) {
      const auto& stage = b.intermediates[k];
      const Json& stage_want = want.at("intermediates").at(k);
      golden::compare(golden::widen(stage.density.data()), stage_want.at("density"), one);
      golden::compare({stage.objective}, stage_want.at("objective"), one);
    }
  });
}

TEST_CASE("the solution is optimal, stages do not increase, F − F* = W_e KL") {
  const auto densities = random_densities(4, 9);
  for (const double gamma : {-0.4, 0.0, 0.1, 3.0}) {
    const std::vector<double> weights{1, 0.3, 2, 0.7};
    const auto b = z_space_barycenter(densities, weights, {.entropy_weight = gamma});
    CHECK(b.effective_weight == doctest::Approx(4 + gamma));
    for (std::size_t k = 1; k < 5; ++k) {
      CHECK(b.intermediates[k].objective <=
            b.intermediates[k - 1].objective + 1e-12 * (1 + std::abs(b.objective)));
    }
    CHECK(b.intermediates[0].interpolation == 0.0);
    CHECK(b.intermediates[4].interpolation == 1.0);
    const auto star = golden::widen(b.density.data());
    for (unsigned trial = 0; trial < 5; ++trial) {
      auto p = golden::widen((Tensor::rand(1, 9, 500 + trial) + 0.01).data());
      double mass = 0;
      for (const double v : p) mass += v;
      double kl = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] /= mass;
        kl += p[i] * std::log(p[i] / star[i]);
      }
      const double excess = objective(p, densities, weights, gamma) - b.objective;
      CHECK(excess == doctest::Approx(b.effective_weight * kl).epsilon(1e-5));
      CHECK(excess > 0);
    }
  }
}

TEST_CASE("scaling changes nothing, one density is its own barycenter") {
  const auto densities = random_densities(3, 6);
  const auto b = z_space_barycenter(densities);
  std::vector<Tensor> scaled;
  for (const Tensor& d : densities) scaled.push_back(d * 8.0);
  CHECK(z_space_barycenter(scaled).density.data() == b.density.data());
  const auto one = z_space_barycenter(std::span(densities).first(1));
  const Tensor share = densities[0] / densities[0].sum();
  CHECK(one.density.allclose(share, 1e-6, 1e-7));
  CHECK(one.kl_energy == doctest::Approx(0).epsilon(1e-12));
  CHECK(one.kl_energy >= 0);
}

TEST_CASE("barycenter conditions, in their order") {
  const std::vector<Tensor> two{Tensor(1, 2, {1, 1}), Tensor(1, 2, {1, 3})};
  using Numbers = std::vector<double>;
  check_error(Errc::empty_input, [] { (void)z_space_barycenter({}); });
  check_error(Errc::length_mismatch, [&] { (void)z_space_barycenter(two, Numbers{1}); });
  check_error(Errc::non_finite,
              [&] { (void)z_space_barycenter(two, {}, {.entropy_weight = NAN}); });
  check_error(Errc::non_finite, [&] { (void)z_space_barycenter(two, {}, {.beta_j = INFINITY}); });
  check_error(Errc::non_finite, [&] { (void)z_space_barycenter(two, Numbers{1, NAN}); });
  check_error(Errc::invalid_value, [&] { (void)z_space_barycenter(two, Numbers{1, -1}); });
  check_error(Errc::invalid_value, [&] { (void)z_space_barycenter(two, Numbers{0, 0}); });
  check_error(Errc::degenerate_barycenter,
              [&] { (void)z_space_barycenter(two, {}, {.entropy_weight = -2.0}); });
  const auto with = [&](Tensor other) { return std::vector<Tensor>{two[0], std::move(other)}; };
  check_error(Errc::shape_mismatch, [&] { (void)z_space_barycenter(with(Tensor(2, 1))); });
  check_error(Errc::non_finite, [&] { (void)z_space_barycenter(with(Tensor(1, 2, {NAN, 1}))); });
  check_error(Errc::invalid_value, [&] { (void)z_space_barycenter(with(Tensor(1, 2, {-1, 2}))); });
  check_error(Errc::invalid_value, [&] { (void)z_space_barycenter(with(Tensor(1, 2))); });
  // Of two conditions the earlier one in the list, whichever density has it.
  const std::vector<Tensor> both{Tensor(1, 2, {-1, 2}), Tensor(1, 2, {1, NAN})};
  check_error(Errc::non_finite, [&] { (void)z_space_barycenter(both); });
  check_error(Errc::invalid_value, [&] {
    (void)z_space_barycenter(with(Tensor(1, 2)), {}, {.coupling = Tensor(2, 3)});
  });
  check_error(Errc::non_finite, [&] { (void)z_space_barycenter(two, Numbers{1e308, 1e308}); });
  check_error(Errc::non_finite, [&] {
    (void)z_space_barycenter(two, {}, {.beta_j = 1e308, .coupling = Tensor::full(2, 2, 1e30)});
  });
  check_error(Errc::shape_mismatch,
              [&] { (void)z_space_barycenter(two, {}, {.coupling = Tensor(2, 3)}); });
  check_error(Errc::non_finite, [&] {
    (void)z_space_barycenter(two, {}, {.coupling = Tensor(2, 2, {NAN, 0, 0, 0})});
  });
}

TEST_CASE("the coupling energy by its definition, the diagonal without effect") {
  const auto densities = random_densities(3, 5);
  const Tensor j(3, 3, {9, 0.5F, -1, 2, 9, 0, 0.25F, 1, 9});
  const auto b = z_space_barycenter(densities, {}, {.beta_j = 1.5, .coupling = j});
  double want = 0;
  for (std::int64_t u = 0; u < 3; ++u) {
    for (std::int64_t v = 0; v < 3; ++v) {
      const auto p = golden::widen(densities[std::size_t(u)].data());
      const auto q = golden::widen(densities[std::size_t(v)].data());
      double p_mass = 0, q_mass = 0;
      for (std::size_t i = 0; i < 5; ++i) p_mass += p[i], q_mass += q[i];
      for (std::size_t i = 0; i < 5; ++i) {
        const double a = p[i] / p_mass, c = q[i] / q_mass;
        want += 0.5 * 1.5 * double(j.at(u, v)) * (a * std::log(a / c) + c * std::log(c / a));
      }
    }
  }
  CHECK(b.coupling_energy == doctest::Approx(want).epsilon(1e-12));
  CHECK(b.objective == doctest::Approx(b.kl_energy + b.coupling_energy).epsilon(1e-12));
}

TEST_CASE("extreme weights keep densities finite and objectives in order") {
  const auto densities = random_densities(3, 500);
  for (const double gamma : {-2.999999999, 1e6, 1e300}) {
    const auto b = z_space_barycenter(densities, {}, {.entropy_weight = gamma});
    CHECK(b.density.sum().item() == doctest::Approx(1).epsilon(1e-5));
    CHECK(b.kl_energy >= 0);
    for (std::size_t k = 1; k < 5; ++k) {
      CHECK(b.intermediates[k].objective <= b.intermediates[k - 1].objective);
    }
  }
  const auto tiny = z_space_barycenter(densities, std::vector<double>{1e-310, 1e-310, 0});
  CHECK(tiny.density.sum().item() == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("a stage as a tuple, names for printing") {
  const auto b = z_space_barycenter(random_densities(2, 3));
  auto [alpha, density, kl, entropy, objective] = b.intermediates[1].as_tuple();
  CHECK(alpha == 0.25);
  CHECK(objective == b.intermediates[1].objective);
  CHECK(kl == b.intermediates[1].kl_energy);
  CHECK(entropy == b.intermediates[1].entropy);
  density.fill_(0);
  CHECK(b.intermediates[1].density.sum().item() == doctest::Approx(1));
  CHECK(b.repr().substr(0, 27) == "ZSpaceBarycenter(objective=");
  CHECK(b.intermediates[0].repr().substr(0, 37) == "BarycenterIntermediate(interpolation=");
}
