#include <cmath>

#include "conformance.hpp"

using namespace conformance;
using spiraltorch::OpId;
using spiraltorch::Shape;

namespace {

constexpr std::int64_t kWantedSets[] = {1, 2, 4, 6, 7};

// Results for the wanted of three operands.
std::vector<Out> wanted_of(std::int64_t wanted, const std::vector<Shape>& shapes) {
  std::vector<Out> out;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    if ((wanted >> k & 1) != 0) out.push_back({shapes[k]});
  }
  return out;
}

void check_same(OpId op, const std::vector<In>& in, const std::vector<Out>& out, double kappa,
                const std::vector<std::int64_t>& ints, double relative, double absolute) {
  const auto want = run(kCpu, op, in, out, {kappa}, ints);
  const auto got = run(kWgpu, op, in, out, {kappa}, ints);
  for (std::size_t i = 0; i < out.size(); ++i) {
    CAPTURE(i);
    check_close(as_floats(got[i]), as_floats(want[i]), relative, absolute);
  }
}

void check_mlr(const In& x, const In& z, const In& r, double kappa, double relative,
               double absolute) {
  CAPTURE(x.rows);
  CAPTURE(x.cols);
  CAPTURE(z.cols);
  CAPTURE(kappa);
  const In g = normal(x.rows, z.cols, 5);
  check_same(OpId::poincare_mlr, {x, z, r}, {{{x.rows, z.cols}}}, kappa, {}, relative, absolute);
  const std::vector<Shape> shapes{{x.rows, x.cols}, {z.rows, z.cols}, {1, z.cols}};
  for (const std::int64_t wanted : kWantedSets) {
    CAPTURE(wanted);
    check_same(OpId::poincare_mlr_grad, {x, z, r, g}, wanted_of(wanted, shapes), kappa, {wanted},
               relative, absolute * static_cast<double>(x.rows));
  }
}

void check_linear(std::int64_t rows, std::int64_t in, std::int64_t out, double kappa,
                  double scale) {
  CAPTURE(rows);
  CAPTURE(in);
  CAPTURE(out);
  CAPTURE(kappa);
  const In x = normal(rows, in, 1, static_cast<float>(scale / std::sqrt(double(in) * kappa)));
  const In w = normal(in, out, 2, static_cast<float>(1 / std::sqrt(double(out))));
  const In b = normal(1, out, 3, static_cast<float>(0.3 / std::sqrt(double(out) * kappa)));
  const In g = normal(rows, out, 4);
  for (const bool bias : {true, false}) {
    std::vector<In> operands{x, w};
    if (bias) operands.push_back(b);
    const std::vector<Out> outs{{{rows, out}}, {{rows, out}}};
    check_same(OpId::poincare_linear, operands, outs, kappa, {}, 1e-5, 2e-6 / std::sqrt(kappa));
    const auto t = run(kCpu, OpId::poincare_linear, operands, outs, {kappa});
    operands.push_back({rows, out, t[1], out});
    operands.push_back(g);
    for (const std::int64_t wanted : kWantedSets) {
      if (!bias && wanted >= 4) continue;
      check_same(OpId::poincare_linear_grad, operands,
                 wanted_of(wanted, {{rows, in}, {in, out}, {1, out}}), kappa, {wanted}, 2e-5,
                 1e-5 * static_cast<double>(rows + in));
    }
  }
}

}  // namespace

TEST_CASE("hyperplane logits and their gradients: shapes, curvatures, offsets, NaN") {
  if (!adapter_here()) return;
  for (const double kappa : {0.5, 1.0, 2.0, 1e-6}) {
    for (const Shape shape : {Shape{1, 1}, Shape{5, 3}, Shape{64, 64}, Shape{70, 33}}) {
      const auto spread = static_cast<float>(0.5 / std::sqrt(kappa * double(shape.cols)));
      const In x = normal(shape.rows, shape.cols, 1, spread);
      const In z = normal(shape.cols, 10, 2, 0.3F);
      const auto size = 1.0 / std::sqrt(std::min(kappa, 1.0));
      for (const float reach : {0.0F, 0.2F, 2.0F, 12.0F, 300.0F}) {
        CAPTURE(reach);
        const In r = normal(1, 10, 3, reach / static_cast<float>(std::sqrt(kappa)));
        check_mlr(x, z, r, kappa, 2e-5, 2e-5 * size);
      }
    }
  }
  const float nan = std::nanf("");
  const In z = floats(2, 3, {0, 1, 0.5F, 0, 2, -1});  // the first one is 0
  const In r = floats(1, 3, {300, -300, 45});
  check_mlr(floats(2, 2, {0.3F, 0.4F, -0.5F, 0.1F}), z, r, 1.0, 2e-5, 2e-5);
  const auto y =
      as_floats(run(kWgpu, OpId::poincare_mlr, {floats(2, 2, {0.3F, 0.4F, nan, 0.1F}), z, r},
                    {{{2, 3}}}, {1.0})[0]);
  CHECK(y[0] == 0);
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::isnan(y[i]) == (i >= 3));
}

TEST_CASE("hyperplane logits on the rim: finite, and the same to float32's share") {
  if (!adapter_here()) return;
  const In x = floats(3, 2, {0.6F, 0.8F, 3, 4, -0.3F, 0.95F});
  const In z = floats(2, 4, {0.6F, -0.6F, 1, 0.3F, 0.8F, -0.8F, 0, -0.4F});
  for (const float s : {0.0F, 0.4F, 3.0F, 60.0F, 300.0F}) {
    const In r = floats(1, 4, {s, s, -s, -s});
    const std::vector<Out> out{{{3, 4}}};
    const auto want = as_floats(run(kCpu, OpId::poincare_mlr, {x, z, r}, out, {1.0})[0]);
    const auto got = as_floats(run(kWgpu, OpId::poincare_mlr, {x, z, r}, out, {1.0})[0]);
    CAPTURE(s);
    check_close(got, want, 2e-3, 2e-3);
    const auto gradients = run(kWgpu, OpId::poincare_mlr_grad, {x, z, r, normal(3, 4, 5)},
                               {{{3, 2}}, {{2, 4}}, {{1, 4}}}, {1.0}, {7});
    for (const auto& words : gradients) {
      for (const float v : as_floats(words)) CHECK(std::isfinite(v));
    }
  }
}

TEST_CASE("PoincareLinear's kernel and its gradients") {
  if (!adapter_here()) return;
  for (const double kappa : {0.5, 1.0, 2.0}) {
    check_linear(1, 1, 1, kappa, 0.3);
    check_linear(5, 3, 10, kappa, 0.5);
    check_linear(64, 64, 10, kappa, 0.5);
    check_linear(70, 33, 65, kappa, 0.8);
  }
}
