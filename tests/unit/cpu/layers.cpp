#include <cmath>

#include "kernel_test.hpp"

using namespace spiraltorch;
using namespace kernel_test;

namespace {

struct Layer {
  std::int64_t rows, in, out;
};

// One row, blocks that end early, columns and classes that fill no vector, several blocks.
constexpr std::array kLayers{Layer{1, 1, 1},   Layer{5, 3, 10},   Layer{64, 64, 4},
                             Layer{70, 33, 5}, Layer{40, 200, 3}, Layer{700, 9, 70}};

// The results of an operation and of its gradient, all wanted, one behind the other. `extra` are
// results of the operation that its gradient reads.
std::vector<float> run_layer(OpId op, OpId gradient, const std::vector<Matrix>& operands,
                             const Matrix& g, bool extra, double kappa) {
  std::vector<std::shared_ptr<Buffer>> buffers;
  std::vector<KernelOperand> in;
  std::vector<Shape> shapes(extra ? 2 : 1, Shape{g.rows, g.cols});
  for (const Matrix& m : operands) {
    buffers.push_back(to_buffer(m));
    in.push_back(operand(*buffers.back(), {m.rows, m.cols}));
    shapes.push_back({m.rows, m.cols});
  }
  std::vector<float> results;
  std::vector<std::size_t> first;
  for (const Shape& shape : shapes) {
    first.push_back(results.size());
    results.resize(results.size() + static_cast<std::size_t>(shape.size()));
  }
  std::vector<KernelOperand> out;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    buffers.push_back(Buffer::adopt_host(results.data() + first[i],
                                         static_cast<std::size_t>(shapes[i].size()) * 4, nullptr));
    out.push_back(operand(*buffers.back(), shapes[i]));
  }
  const std::size_t values = extra ? 2 : 1;
  launch(op, {.in = in, .out = {out.data(), values}, .scalars = {&kappa, 1}, .ints = {}});
  if (extra) in.push_back(out[1]);
  buffers.push_back(to_buffer(g));
  in.push_back(operand(*buffers.back(), {g.rows, g.cols}));
  const std::int64_t wanted = (std::int64_t{1} << operands.size()) - 1;
  launch(gradient, {.in = in,
                    .out = {out.data() + values, operands.size()},
                    .scalars = {&kappa, 1},
                    .ints = {&wanted, 1}});
  return results;
}

// Σ g·logit by the formula, in double.
double weighted_logits(const Matrix& x, const Matrix& z, const Matrix& r, const Matrix& g,
                       double kappa, std::vector<double>* logits = nullptr) {
  const double root = std::sqrt(kappa);
  double sum = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double xx = 0;
    for (std::int64_t j = 0; j < x.cols; ++j) xx += double(x.at(i, j)) * x.at(i, j);
    const double lambda = 2 / (1 - kappa * xx);
    for (std::int64_t k = 0; k < z.cols; ++k) {
      double zz = 0;
      double xz = 0;
      for (std::int64_t j = 0; j < x.cols; ++j) {
        zz += double(z.at(j, k)) * z.at(j, k);
        xz += double(x.at(i, j)) * z.at(j, k);
      }
      const double s = 2 * root * r.at(0, k);
      const double u =
          lambda * root * xz / std::sqrt(zz) * std::cosh(s) - (lambda - 1) * std::sinh(s);
      const double logit = 2 * std::sqrt(zz) / root * std::asinh(u);
      if (logits != nullptr) logits->push_back(logit);
      sum += g.at(i, k) * logit;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("poincare_mlr: values and gradients for every instruction set and number of threads") {
  for (const Layer& layer : kLayers) {
    const double kappa = 0.7;
    const auto spread = static_cast<float>(0.5 / std::sqrt(kappa * double(layer.in)));
    const std::vector<Matrix> operands{random_matrix(layer.rows, layer.in, 1, spread * 0.8F),
                                       random_matrix(layer.in, layer.out, 2, 0.5F),
                                       random_matrix(1, layer.out, 3, 1.5F)};
    const Matrix g = random_matrix(layer.rows, layer.out, 4);
    std::vector<double> want;
    (void)weighted_logits(operands[0], operands[1], operands[2], g, kappa, &want);
    CAPTURE(layer.rows);
    every_level(
        [&] {
          return run_layer(OpId::poincare_mlr, OpId::poincare_mlr_grad, operands, g, false, kappa);
        },
        [&](const std::vector<float>& got) {
          for (std::size_t i = 0; i < want.size(); ++i) {
            REQUIRE(got[i] == doctest::Approx(want[i]).epsilon(2e-7).scale(0.01));
          }
          // Along a direction in all operands at once: the sum of gradient times direction.
          double slope = 0;
          std::size_t at = want.size();
          std::vector<Matrix> moved[2] = {operands, operands};
          const double h = 1e-3;
          for (std::size_t k = 0; k < operands.size(); ++k) {
            const Matrix way = random_matrix(operands[k].rows, operands[k].cols, 9, 0.1F);
            for (std::size_t i = 0; i < way.values.size(); ++i) {
              const float start = operands[k].values[i];
              float& up = moved[0][k].values[i];
              float& down = moved[1][k].values[i];
              up = start + static_cast<float>(h) * way.values[i];
              down = start - static_cast<float>(h) * way.values[i];
              slope += double(got[at++]) * (double(up) - double(down)) / (2 * h);
            }
          }
          const auto total = [&](const std::vector<Matrix>& m) {
            return weighted_logits(m[0], m[1], m[2], g, kappa);
          };
          const double expected = (total(moved[0]) - total(moved[1])) / (2 * h);
          CHECK(slope == doctest::Approx(expected).epsilon(1e-4).scale(1));
        });
  }
}

TEST_CASE("poincare_linear: the composed operations, for every instruction set and threads") {
  for (const Layer& layer : kLayers) {
    const double kappa = 0.7;
    CAPTURE(layer.rows);
    const auto spread = static_cast<float>(0.5 / std::sqrt(kappa * double(layer.in)));
    const std::vector<Matrix> operands{
        random_matrix(layer.rows, layer.in, 1, spread),
        random_matrix(layer.in, layer.out, 2, 1 / std::sqrt(float(layer.out))),
        random_matrix(1, layer.out, 3, 0.3F / std::sqrt(float(layer.out)))};
    const Matrix g = random_matrix(layer.rows, layer.out, 4);
    const auto composed = [&] {
      const auto x = to_buffer(operands[0]);
      const auto w = to_buffer(operands[1]);
      const auto b = to_buffer(operands[2]);
      const KernelOperand points = operand(*x, {layer.rows, layer.in});
      const Matrix u{layer.rows, layer.in,
                     run_guarded(OpId::ball_logmap0, {points}, {layer.rows, layer.in}, {kappa})};
      const auto logs = to_buffer(u);
      const Shape shape{layer.rows, layer.out};
      const Matrix t{
          layer.rows, layer.out,
          run_guarded(OpId::matmul,
                      {operand(*logs, {layer.rows, layer.in}), operand(*w, {layer.in, layer.out})},
                      shape, {}, {0, 0, 0})};
      const auto product = to_buffer(t);
      const Matrix e{layer.rows, layer.out,
                     run_guarded(OpId::ball_expmap0, {operand(*product, shape)}, shape, {kappa})};
      const auto moved = to_buffer(e);
      KernelOperand bias = operand(*b, {1, layer.out});
      bias.rows = layer.rows;
      bias.row_stride = 0;
      return run_guarded(OpId::ball_mobius_add, {operand(*moved, shape), bias}, shape, {kappa});
    };
    const auto want = composed();
    every_level(
        [&] {
          return run_layer(OpId::poincare_linear, OpId::poincare_linear_grad, operands, g, true,
                           kappa);
        },
        [&](const std::vector<float>& got) {
          for (std::size_t i = 0; i < want.size(); ++i) {
            REQUIRE(got[i] == doctest::Approx(want[i]).epsilon(1e-5).scale(0.1));
          }
        });
  }
}
