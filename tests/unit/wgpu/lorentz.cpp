#include "ball.hpp"
#include "spiraltorch/runtime/lorentz_op.hpp"

using namespace ball_test;
using spiraltorch::kLorentzOps;
using spiraltorch::LorentzInfo;
using spiraltorch::LorentzOp;
using spiraltorch::OpId;

namespace {

// Scaled sizes of space: the ball's radii up to 0.999, the origin, and far ones.
const std::vector<double> kSpaces{1.0, 0.3, 20.0, 0.0, 1e-4, 300.0, 3.0, 999.0, 3e-9, 50.0, 0.7};
const std::vector<double> kFar{1.0, 1e5, 1e12, 3e17, 1e25, 1e3, 1e16};

// A time column of what is not read, but by egrad2rgrad.
In timed(const In& x, unsigned seed) {
  const In time = normal(x.rows, 1, seed);
  In out{x.rows, x.cols + 1, {}, x.cols + 1};
  for (std::int64_t i = 0; i < x.rows; ++i) {
    out.words.push_back(time.words[static_cast<std::size_t>(i)]);
    const auto row = x.words.begin() + i * x.cols;
    out.words.insert(out.words.end(), row, row + x.cols);
  }
  return out;
}

std::vector<In> operands(const LorentzInfo& info, std::int64_t rows, std::int64_t space,
                         double kappa, const std::vector<double>& sizes,
                         const std::vector<double>& vectors) {
  std::vector<In> in;
  In first;
  for (std::size_t k = 0; k < info.roles.size(); ++k) {
    const auto seed = static_cast<unsigned>(k) + static_cast<unsigned>(space);
    if (info.roles[k] == 't') {
      in.push_back(numbers(rows));
      continue;
    }
    const bool is_vector = info.roles[k] == 'v' || info.op == LorentzOp::expmap0;
    In x = points(rows, space, kappa, seed, is_vector ? vectors : info.timed ? sizes : kInnerNorms);
    if (k == 0) first = x;
    if (info.roles[k] == 'b') meet(first, x);
    in.push_back(info.timed ? timed(x, seed + 5) : x);
  }
  return in;
}

// Value and gradients; returns the worst errors.
std::array<double, 2> compare(const LorentzInfo& info, const std::vector<In>& in, std::int64_t rows,
                              std::int64_t space, double kappa, double tolerance, double absolute) {
  CAPTURE(info.name);
  CAPTURE(kappa);
  CAPTURE(space);
  CAPTURE(rows);
  const double unit = std::max(1.0, 1.0 / std::sqrt(kappa));
  const auto op = static_cast<std::int64_t>(info.op);
  const std::int64_t cols = lorentz_result_cols(info, space);
  const Out out{{rows, cols}};
  const Words got = run(kWgpu, OpId::lorentz_rows, in, {out}, {kappa}, {op})[0];
  const Words expected = run(kCpu, OpId::lorentz_rows, in, {out}, {kappa}, {op})[0];
  std::array<double, 2> worst{};
  worst[0] = check_rows(as_floats(got), as_floats(expected), cols, tolerance, absolute * unit);
  std::vector<In> with_g = in;
  with_g.push_back(normal(rows, cols, 77));
  std::vector<Out> gradients;
  for (const In& x : in) gradients.push_back({{rows, x.cols}});
  const std::vector<std::int64_t> ints{op, (1 << in.size()) - 1};
  const auto g = run(kWgpu, OpId::lorentz_rows_grad, with_g, gradients, {kappa}, ints);
  const auto h = run(kCpu, OpId::lorentz_rows_grad, with_g, gradients, {kappa}, ints);
  for (std::size_t k = 0; k < g.size(); ++k) {
    CAPTURE(k);
    // In one column a gradient is a difference that cancels.
    worst[1] = std::max(worst[1], check_rows(as_floats(g[k]), as_floats(h[k]), in[k].cols,
                                             space == 1 ? 1e-3 : 10 * tolerance, 1e-5));
  }
  return worst;
}

}  // namespace

TEST_CASE("lorentz: row-wise operations and their gradients") {
  if (!adapter_here()) return;
  for (const LorentzInfo& info : kLorentzOps) {
    std::array<double, 2> worst{};
    for (const double kappa : kKappas) {
      for (const std::int64_t space : {1, 2, 5, 64, 600}) {
        const std::int64_t rows = space == 600 ? 3 : 65;
        const auto in = operands(info, rows, space, kappa, kSpaces, kShortNorms);
        const auto one = compare(info, in, rows, space, kappa, 4e-6, 1e-7);
        worst = {std::max(worst[0], one[0]), std::max(worst[1], one[1])};
      }
    }
    MESSAGE(std::string(info.name) << ": " << worst[0] << ", gradient " << worst[1]);
  }
}

TEST_CASE("lorentz: repeated rows, extreme curvatures, rows that are not finite") {
  if (!adapter_here()) return;
  const std::int64_t rows = 37;
  for (const LorentzInfo& info : kLorentzOps) {
    const std::vector<In> whole = operands(info, rows, 5, 1.0, kSpaces, kShortNorms);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      std::vector<In> in = whole;
      if (info.roles[k] != 't') {
        in[k].words[static_cast<std::size_t>(3 * in[k].cols + 1)] = 0x7fc00000U;
        in[k].words[static_cast<std::size_t>(7 * in[k].cols + 2)] = 0x7f800000U;
        compare(info, in, rows, 5, 1.0, 4e-6, 1e-7);
      }
      if (whole.size() == 1) continue;
      in = whole;
      in[k] = repeated_row(operands(info, 1, 5, 1.0, kSpaces, kShortNorms)[k], rows);
      compare(info, in, rows, 5, 1.0, 4e-6, 1e-7);
    }
    for (const double kappa : {1e-12, 3e-5, 7e4, 1e12}) {
      std::vector<double> vectors{0.5, 0.0, 1e-3, 2.0};
      for (double& v : vectors) v *= 1.0;
      compare(info, operands(info, rows, 5, kappa, kSpaces, vectors), rows, 5, kappa, 4e-6, 1e-7);
    }
  }
}

TEST_CASE("lorentz: far points, and what stays bit for bit") {
  if (!adapter_here()) return;
  const Out out{{37, 6}};
  const In far = timed(rows_of_norms(37, 5, 1.0, kFar, 3), 4);
  const std::vector<std::int64_t> project{static_cast<std::int64_t>(LorentzOp::project)};
  const Words once = run(kWgpu, OpId::lorentz_rows, {far}, {out}, {1.0}, project)[0];
  const Words expected = run(kCpu, OpId::lorentz_rows, {far}, {out}, {1.0}, project)[0];
  check_rows(as_floats(once), as_floats(expected), 6, 1e-6, 1e-9);
  In again = far;
  again.words = once;
  CHECK(run(kWgpu, OpId::lorentz_rows, {again}, {out}, {1.0}, project)[0] == once);
  const In zero = floats(37, 6, std::vector<float>(37 * 6, 0.0F));
  const std::vector<std::int64_t> expmap{static_cast<std::int64_t>(LorentzOp::expmap)};
  CHECK(run(kWgpu, OpId::lorentz_rows, {again, zero}, {out}, {1.0}, expmap)[0] == once);
  const In other = timed(rows_of_norms(37, 5, 1.0, {1e3, 1.0, 1e12, 1e16, 0.5}, 8), 4);
  const std::vector<std::int64_t> dist{static_cast<std::int64_t>(LorentzOp::dist)};
  const Out number{{37, 1}};
  check_rows(as_floats(run(kWgpu, OpId::lorentz_rows, {far, other}, {number}, {1.0}, dist)[0]),
             as_floats(run(kCpu, OpId::lorentz_rows, {far, other}, {number}, {1.0}, dist)[0]), 1,
             1e-5, 1e-6);
  const Out pairs{{37, 37}};
  const In near = timed(points(37, 5, 1.0, 3, kSpaces), 9);
  for (const In* y : {&near, &other}) {
    check_rows(as_floats(run(kWgpu, OpId::lorentz_dist_matrix, {near, *y}, {pairs}, {1.0}, {})[0]),
               as_floats(run(kCpu, OpId::lorentz_dist_matrix, {near, *y}, {pairs}, {1.0}, {})[0]),
               1, 4e-6, 1e-7);
  }
}
