#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "spiraltorch/nn/hyperbolic.hpp"
#include "support.hpp"

// Layers of the ball against the formulas of their papers in long double, which holds e^11000, and
// their gradients against central differences of those.

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

using Real = long double;
using Row = std::vector<Real>;
using Rows = std::vector<Row>;

Real dot(const Row& a, const Row& b) {
  Real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Row scaled(Row x, Real by) {
  for (Real& v : x) v *= by;
  return x;
}

Row project(const Row& x, Real kappa) {
  const Real most = 1 - 1e-5L;
  const Real s = std::sqrt(kappa * dot(x, x));
  return s > most * (1 + 0x1p-20L) ? scaled(x, most / s) : x;
}

Real logit(const Row& point, const Row& z, Real r, Real kappa) {
  const Real length = std::sqrt(dot(z, z));
  if (length == 0) return 0;
  const Row x = project(point, kappa);
  const Real root = std::sqrt(kappa);
  const Real lambda = 2 / (1 - kappa * dot(x, x));
  return 2 * length / root *
         std::asinh(lambda * root * dot(x, z) / length * std::cosh(2 * root * r) -
                    (lambda - 1) * std::sinh(2 * root * r));
}

Row affine(const Row& point, const Rows& columns, const Row& bias, Real kappa) {
  const Real root = std::sqrt(kappa);
  const Row x = project(point, kappa);
  const Real s = root * std::sqrt(dot(x, x));
  const Row u = scaled(x, s == 0 ? 1 : std::atanh(s) / s);
  Row t;
  for (const Row& w : columns) t.push_back(dot(u, w));
  const Real angle = root * std::sqrt(dot(t, t));
  const Row e = project(scaled(t, angle == 0 ? 1 : std::tanh(angle) / angle), kappa);
  const Row b = project(bias, kappa);
  const Real eb = dot(e, b);
  const Real ee = dot(e, e);
  const Real bb = dot(b, b);
  Row sum;
  for (std::size_t i = 0; i < e.size(); ++i) {
    sum.push_back(((1 + 2 * kappa * eb + kappa * bb) * e[i] + (1 - kappa * ee) * b[i]) /
                  (1 + 2 * kappa * eb + kappa * kappa * ee * bb));
  }
  return project(sum, kappa);
}

Rows rows_of(const Tensor& x) {
  Rows out;
  for (const auto& row : x.tolist()) out.emplace_back(row.begin(), row.end());
  return out;
}

void set(const Parameter& parameter, const Tensor& value) {
  const NoGrad guard;
  Parameter p = parameter;
  p.copy_(value);
}

// All logits, from operands (x, z, r) given by rows.
Rows all_logits(const std::vector<Rows>& operands, Real kappa) {
  Rows out;
  for (const Row& x : operands[0]) {
    Row row;
    for (std::size_t k = 0; k < operands[2][0].size(); ++k) {
      Row z;
      for (const Row& weight : operands[1]) z.push_back(weight[k]);
      row.push_back(logit(x, z, operands[2][0][k], kappa));
    }
    out.push_back(row);
  }
  return out;
}

Rows all_affine(const std::vector<Rows>& operands, Real kappa) {
  Rows columns(operands[1][0].size());
  for (const Row& weight : operands[1]) {
    for (std::size_t k = 0; k < weight.size(); ++k) columns[k].push_back(weight[k]);
  }
  Rows out;
  for (const Row& x : operands[0]) out.push_back(affine(x, columns, operands[2][0], kappa));
  return out;
}

using Reference = std::function<Rows(const std::vector<Rows>&)>;

struct Accuracy {
  double relative;
  double absolute;
};

void check_near(double got, Real want, const Accuracy& within) {
  CAPTURE(got);
  const auto expected = static_cast<double>(want);
  CAPTURE(expected);
  CHECK(std::abs(got - expected) <= within.absolute + within.relative * std::abs(expected));
}

// Output, and gradients of Σ (1 + 3i/8)·y_i by input and parameters.
void check_against(const Reference& reference, Module& layer, Tensor input,
                   const Accuracy& value_within, const Accuracy& within) {
  CAPTURE(layer.repr());
  input.requires_grad_();
  std::vector<Tensor> leaves{input};
  for (auto& parameter : layer.parameters()) {
    parameter.zero_grad();
    leaves.push_back(parameter);
  }
  std::vector<Rows> operands;
  for (const Tensor& leaf : leaves) operands.push_back(rows_of(leaf));
  const auto weight = [](std::size_t i) { return 1 + 0.375L * static_cast<Real>(i); };
  // Differences before the sum: most rows have none.
  const auto change = [&](const Rows& up, const Rows& down) {
    Real sum = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < up.size(); ++i) {
      for (std::size_t k = 0; k < up[i].size(); ++k) sum += weight(at++) * (up[i][k] - down[i][k]);
    }
    return sum;
  };
  const Tensor y = layer.forward(input);
  const Rows want = reference(operands);
  for (std::size_t i = 0; i < want.size(); ++i) {
    for (std::size_t k = 0; k < want[i].size(); ++k) {
      check_near(y.at(std::int64_t(i), std::int64_t(k)), want[i][k], value_within);
    }
  }
  y.backward(Tensor::from_fn(y.rows(), y.cols(), [&](auto i, auto j) {
    return static_cast<double>(weight(std::size_t(i * y.cols() + j)));
  }));
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    REQUIRE(leaves[k].grad());
    for (std::size_t i = 0; i < operands[k].size(); ++i) {
      for (std::size_t j = 0; j < operands[k][i].size(); ++j) {
        CAPTURE(k);
        CAPTURE(i);
        CAPTURE(j);
        Real& entry = operands[k][i][j];
        const Real at = entry;
        const Real h = 1e-6L * std::max<Real>(std::abs(at), 0.01L);
        entry = at + h;
        const Rows up = reference(operands);
        entry = at - h;
        const Rows down = reference(operands);
        entry = at;
        check_near(leaves[k].grad()->at(std::int64_t(i), std::int64_t(j)),
                   change(up, down) / (2 * h), within);
      }
    }
  }
}

// A batch of which every row has length `radius`/√κ.
Tensor on_sphere(std::int64_t batch, std::int64_t dim, double radius, double curvature) {
  const Tensor x = Tensor::randn(batch, dim, 11);
  auto rows = x.tolist();
  for (auto& row : rows) {
    double squares = 0;
    for (const double v : row) squares += v * v;
    for (double& v : row) v *= radius / std::sqrt(-curvature * squares);
  }
  return Tensor::from_rows(rows);
}

constexpr std::array kCurvatures{-0.5, -1.0, -2.0};

}  // namespace

TEST_CASE("PoincareMLR and its gradients against long double: points, curvatures, offsets to 300") {
  for (const double curvature : kCurvatures) {
    PoincareMLR layer(3, 10, curvature);
    const Reference reference = [&](const std::vector<Rows>& operands) {
      return all_logits(operands, -static_cast<Real>(curvature));
    };
    for (const float reach : {0.01F, 1.0F, 8.0F, 44.0F, 300.0F}) {
      set(layer.offset(), Tensor::from_fn(1, 10, [&](auto, auto k) {
            return reach * (k % 2 == 0 ? 1 : -1) * (1 - 0.09 * static_cast<double>(k));
          }));
      for (const std::int64_t batch : {1, 3}) {
        for (const double radius : {0.001, 0.3, 0.9, 0.999}) {
          CAPTURE(reach);
          CAPTURE(radius);
          check_against(reference, layer, on_sphere(batch, 3, radius, curvature), {2e-7, 1e-9},
                        {2e-6, 1e-6});
        }
        // Beyond the rim: on the clip, where nothing depends on the length.
        check_against(reference, layer, on_sphere(batch, 3, 3.0, curvature), {2e-7, 1e-9},
                      {2e-6, 2e-5});
      }
    }
    set(layer.offset(), Tensor::from_fn(1, 10, [](auto, auto k) { return 0.1 * double(k) - 0.5; }));
    check_against(reference, layer, on_sphere(70, 3, 0.5, curvature), {2e-7, 1e-9}, {2e-6, 1e-6});
  }
}

TEST_CASE("PoincareMLR where a point lies towards a hyperplane's ideal point, and on hyperplanes") {
  for (const double curvature : kCurvatures) {
    const double rim = 1.0 / std::sqrt(-curvature);
    PoincareMLR layer(2, 3, curvature);
    set(layer.weight(), Tensor(2, 3, {0.6F, -0.6F, 1e-3F, 0.8F, -0.8F, 2e-3F}));
    const Reference reference = [&](const std::vector<Rows>& operands) {
      return all_logits(operands, -static_cast<Real>(curvature));
    };
    for (const float r : {0.5F, 3.0F, 6.0F, 100.0F}) {
      set(layer.offset(), Tensor(1, 3, {r, r, -r}));
      for (const double radius : {0.9, 0.999, 0.99998, 2.0}) {
        const double s = radius * rim;
        CAPTURE(radius);
        CAPTURE(r);
        const Rows want =
            all_logits({{{float(0.6 * s), float(0.8 * s)}, {float(-0.6 * s), float(-0.8 * s)}},
                        rows_of(layer.weight()),
                        rows_of(layer.offset())},
                       -static_cast<Real>(curvature));
        const Tensor x(2, 2, {float(0.6 * s), float(0.8 * s), float(-0.6 * s), float(-0.8 * s)});
        const Tensor y = layer.forward(x);
        for (std::int64_t i = 0; i < 2; ++i) {
          for (std::int64_t k = 0; k < 3; ++k) {
            check_near(y.at(i, k), want[std::size_t(i)][std::size_t(k)], {2e-7, 1e-9});
          }
        }
      }
    }
    const double t = std::tanh(std::sqrt(-curvature) * 0.75) * rim;
    set(layer.offset(), Tensor(1, 3, {0.75F, -0.75F, 0.75F}));
    const Tensor on = layer.forward(Tensor(1, 2, {float(0.6 * t), float(0.8 * t)}));
    CHECK(std::abs(on.at(0, 0)) < 1e-6);  // p lies on the hyperplane of z and r, and of −z and −r
    CHECK(std::abs(on.at(0, 1)) < 1e-6);
  }
}

TEST_CASE("PoincareMLR: NaN stays in its row, a normal of 0 has no gradient, flat limit") {
  PoincareMLR layer(2, 3);
  set(layer.weight(), Tensor(2, 3, {0, 1, 0.5F, 0, 2, -1}));
  set(layer.offset(), Tensor(1, 3, {300, -300, 45}));
  const float nan = std::nanf("");
  const Tensor x(3, 2, {0.3F, 0.4F, nan, 0.1F, 3, 4});
  const Tensor y = layer.forward(x);
  const Tensor g = layer.backward(x, Tensor(3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  for (std::int64_t k = 0; k < 3; ++k) {
    CHECK(std::isfinite(y.at(0, k)));
    CHECK(std::isnan(y.at(1, k)));
    CHECK(std::isfinite(y.at(2, k)));
  }
  CHECK(y.at(0, 0) == 0);
  for (std::int64_t j = 0; j < 2; ++j) {
    CHECK(std::isfinite(g.at(0, j)));
    CHECK(std::isnan(g.at(1, j)));
    CHECK(std::isfinite(g.at(2, j)));
  }
  const Tensor good(2, 2, {0.3F, 0.4F, 3, 4});
  PoincareMLR zero(2, 1);
  set(zero.weight(), Tensor(2, 1));
  set(zero.offset(), Tensor(1, 1, {300}));
  const Tensor none = zero.backward(good, Tensor::ones(2, 1));
  for (const auto& tensor : {none, *zero.weight().grad(), *zero.offset().grad()}) {
    for (const float v : tensor.data()) CHECK(v == 0);
  }
  for (const double curvature : {-1e-6, -1e-12}) {
    PoincareMLR flat(2, 1, curvature);
    set(flat.weight(), Tensor(2, 1, {0.6F, -0.8F}));
    set(flat.offset(), Tensor(1, 1, {0.25F}));
    const Tensor at(1, 2, {1.0F, 0.5F});
    CHECK(flat.forward(at).item() == doctest::Approx(4 * (0.6 - 0.4 - 0.25)).epsilon(1e-5));
    const Tensor slope = flat.backward(at, Tensor::ones(1, 1));
    CHECK(slope.at(0, 0) == doctest::Approx(2.4).epsilon(1e-5));
    CHECK(slope.at(0, 1) == doctest::Approx(-3.2).epsilon(1e-5));
    CHECK(flat.offset().grad()->item() == doctest::Approx(-4).epsilon(1e-5));
  }
}

TEST_CASE("PoincareLinear and its gradients against long double, inside and on each clip") {
  for (const double curvature : kCurvatures) {
    const double rim = 1.0 / std::sqrt(-curvature);
    const Reference reference = [&](const std::vector<Rows>& operands) {
      std::vector<Rows> all = operands;
      if (all.size() < 3) all.push_back({Row(operands[1][0].size(), 0)});
      return all_affine(all, -static_cast<Real>(curvature));
    };
    for (const bool bias : {true, false}) {
      PoincareLinear layer(3, 5, curvature, "l", {.bias = bias});
      for (const double shift : {0.0, 0.3, 2.0}) {  // 2: the bias itself is on the clip
        if (!bias && shift != 0.0) continue;
        if (bias) {
          set(*layer.bias(), Tensor::from_fn(1, 5, [&](auto, auto k) {
            return shift * rim * (k % 2 == 0 ? 0.5 : -0.4);
          }));
        }
        for (const std::int64_t batch : {1, 3}) {
          for (const double radius : {1e-4, 0.02, 0.5, 0.97, 3.0}) {
            CAPTURE(shift);
            CAPTURE(radius);
            check_against(reference, layer, on_sphere(batch, 3, radius, curvature), {2e-6, 2e-7},
                          {2e-5, 2e-5});
          }
        }
      }
    }
    PoincareLinear many(3, 5, curvature);
    check_against(reference, many, on_sphere(70, 3, 0.5, curvature), {2e-6, 2e-7}, {2e-5, 2e-4});
    // A large weight puts the product on the clip.
    PoincareLinear large(3, 2, curvature, "l", {.gain = 60.0});
    check_against(reference, large, on_sphere(3, 3, 0.9, curvature), {2e-6, 2e-7}, {2e-4, 2e-5});
  }
}
