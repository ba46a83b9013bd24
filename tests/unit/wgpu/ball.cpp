#include "ball.hpp"

#include <utility>

using namespace ball_test;
using spiraltorch::ElementType;
using spiraltorch::OpId;

namespace {

constexpr double kTolerance = 4e-6;
constexpr double kAbsolute = 1e-9;

// Returns the worst error.
double compare(const Case& c, const std::vector<In>& in, std::int64_t rows, std::int64_t cols,
               double kappa, std::int64_t squared = 0, ElementType type = ElementType::f32) {
  CAPTURE(static_cast<int>(c.op));
  CAPTURE(kappa);
  CAPTURE(cols);
  CAPTURE(rows);
  const std::int64_t columns = width(c, cols);
  const Out out{{rows, columns}, type};
  const Words got = run(kWgpu, c.op, in, {out}, {kappa, 0.3}, {squared})[0];
  const Words expected = run(kCpu, c.op, in, {out}, {kappa, 0.3}, {squared})[0];
  // At the rim the CPU's own sums cancel: 1e-16 becomes 1e-6, and coincident points 1e-10 apart.
  if (type == ElementType::f64) {
    return check_rows(as_doubles(got), as_doubles(expected), columns, kTolerance, kAbsolute);
  }
  return check_rows(as_floats(got), as_floats(expected), columns, kTolerance, kAbsolute);
}

}  // namespace

TEST_CASE("ball: row-wise operations") {
  if (!adapter_here()) return;
  for (const Case& c : kCases) {
    double worst = 0.0;
    for (const double kappa : kKappas) {
      for (const std::int64_t cols : {1, 2, 5, 32, 64, 300}) {
        worst = std::max(worst, compare(c, operands(c, 257, cols, kappa), 257, cols, kappa));
      }
    }
    for (const std::int64_t rows : {1, 3}) {
      worst = std::max(worst, compare(c, operands(c, rows, 600, 1.0), rows, 600, 1.0));
    }
    MESSAGE(spiraltorch::kOps[static_cast<std::size_t>(c.op)].name << ": " << worst);
  }
}

TEST_CASE("ball: repeated rows, squares, float64 distances, all pairs") {
  if (!adapter_here()) return;
  const std::int64_t rows = 257;
  for (const double kappa : kKappas) {
    for (const Case& c : kCases) {
      for (std::size_t k = 0; k < std::string(c.roles).size() && c.roles[1] != 0; ++k) {
        std::vector<In> in = operands(c, rows, 5, kappa);
        in[k] = repeated_row(operands(c, 1, 5, kappa)[k], rows);
        compare(c, in, rows, 5, kappa);
      }
    }
    const Case dist{OpId::ball_dist, "pp", 1};
    for (const std::int64_t squared : {0, 1}) {
      for (const ElementType type : {ElementType::f32, ElementType::f64}) {
        compare(dist, operands(dist, rows, 32, kappa), rows, 32, kappa, squared, type);
      }
    }
    const In x = points(37, 5, kappa, 3);
    In y = points(50, 5, kappa, 4);
    const Case pairs{OpId::ball_dist_matrix, "pp", 1};
    for (const In* other : {&std::as_const(y), &x}) {
      const std::int64_t same = other == &x ? 1 : 0;
      const Out out{{37, other->rows}};
      const auto got = as_floats(run(kWgpu, pairs.op, {x, *other}, {out}, {kappa}, {same})[0]);
      const auto expected = as_floats(run(kCpu, pairs.op, {x, *other}, {out}, {kappa}, {same})[0]);
      check_rows(got, expected, 1, kTolerance, kAbsolute);
      for (std::size_t i = 0; i < 37 && same == 1; ++i) CHECK(got[i * 37 + i] == 0.0F);
    }
  }
}

TEST_CASE("ball: rows that are not finite, and what stays bit for bit") {
  if (!adapter_here()) return;
  const std::int64_t rows = 40;
  for (const Case& c : kCases) {
    for (std::size_t k = 0; k < std::string(c.roles).size(); ++k) {
      if (c.roles[k] == 't') continue;
      std::vector<In> in = operands(c, rows, 5, 1.0);
      in[k].words[3 * 5 + 1] = 0x7fc00000U;
      in[k].words[7 * 5 + 4] = 0x7f800000U;
      in[k].words[11 * 5] = 0xff800000U;
      compare(c, in, rows, 5, 1.0);
    }
  }
  // Points inside: project, import, and steps of zero.
  In x = rows_of_norms(rows, 5, 1.0, {0.3, 0.999, 1 - 1e-5, 0.0, 1e-3}, 1);
  x.words[2] = 0x80000000U;
  x.words[3] = 0x00000011U;
  const In zero = floats(rows, 5, std::vector<float>(static_cast<std::size_t>(rows * 5), 0.0F));
  const Out out{{rows, 5}};
  CHECK(run(kWgpu, OpId::ball_project, {x}, {out}, {1.0})[0] == x.words);
  CHECK(run(kWgpu, OpId::ball_import, {x}, {out}, {1.0})[0] == x.words);
  CHECK(run(kWgpu, OpId::ball_expmap, {x, zero}, {out}, {1.0})[0] == x.words);
  CHECK(run(kWgpu, OpId::ball_sgd_step, {x, zero}, {out}, {1.0, 0.1})[0] == x.words);
  // What project gives is left alone.
  const In far = points(rows, 64, 1.0, 2);
  const Words once = run(kWgpu, OpId::ball_project, {far}, {{{rows, 64}}}, {1.0})[0];
  In again = far;
  again.words = once;
  CHECK(run(kWgpu, OpId::ball_project, {again}, {{{rows, 64}}}, {1.0})[0] == once);
}
