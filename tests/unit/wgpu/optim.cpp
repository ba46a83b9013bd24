#include "ball.hpp"

using namespace ball_test;
using spiraltorch::ElementType;
using spiraltorch::OpId;

namespace {

// What a rule is, in the order of the kernel's arguments.
struct Rule {
  bool adam = false, nesterov = false, decoupled = false, amsgrad = false, momentum = false;
  double decay = 0.0;
};

constexpr Rule kRules[] = {
    {},
    {.decay = 0.1},
    {.momentum = true},
    {.nesterov = true, .momentum = true, .decay = 0.1},
    {.adam = true},
    {.adam = true, .amsgrad = true, .decay = 0.1},
    {.adam = true, .decoupled = true, .decay = 0.5},
};

In state(std::int64_t rows, std::int64_t cols, unsigned seed, bool positive) {
  In out = normal(rows, cols, seed, 0.3F);
  if (!positive) return out;
  for (auto& word : out.words) word &= 0x7fffffffU;
  return out;
}

// Every third row's gradient is zero.
In gradient(std::int64_t rows, std::int64_t cols, unsigned seed) {
  In out = normal(rows, cols, seed);
  for (std::int64_t i = 0; i < rows; i += 3) {
    for (std::int64_t j = 0; j < cols; ++j) out.words[static_cast<std::size_t>(i * cols + j)] = 0;
  }
  return out;
}

void compare(const Rule& rule, const In& w, double kappa, bool lazy, bool listed,
             double tolerance = 1e-5) {
  CAPTURE(rule.adam);
  CAPTURE(rule.decay);
  CAPTURE(kappa);
  CAPTURE(lazy);
  CAPTURE(listed);
  CAPTURE(w.cols);
  const bool ball = kappa > 0.0;
  const std::int64_t rows = listed ? w.rows / 2 : w.rows;
  std::vector<In> in{gradient(rows, w.cols, 2)};
  if (listed) {
    In list{1, rows, Words(static_cast<std::size_t>(rows)), rows};
    list.type = ElementType::i32;
    for (std::int64_t i = 0; i < rows; ++i) {
      list.words[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(2 * i + 1);
    }
    in.push_back(list);
  }
  const auto out_of = [](const In& x) { return Out{.shape = {x.rows, x.cols}, .start = x.words}; };
  std::vector<Out> out{out_of(w)};
  if (rule.adam || rule.momentum) out.push_back(out_of(state(w.rows, w.cols, 3, false)));
  for (int k = 0; rule.adam && k < (rule.amsgrad ? 2 : 1); ++k) {
    out.push_back(out_of(state(w.rows, ball ? 1 : w.cols, 4 + static_cast<unsigned>(k), true)));
  }
  std::vector<double> scalars{0.1, rule.decay, 0.9, 0.99, 1e-8, 0.19, 0.02};
  if (ball) scalars.insert(scalars.begin(), kappa);
  const std::vector<std::int64_t> ints{rule.adam, rule.nesterov, rule.decoupled, lazy, listed};
  const OpId op = ball ? OpId::ball_optim_step : OpId::optim_step;
  const auto want = run(kCpu, op, in, out, scalars, ints);
  const auto got = run(kWgpu, op, in, out, scalars, ints);
  const double size = ball ? std::max(1.0, 1.0 / std::sqrt(kappa)) : 1.0;
  for (std::size_t k = 0; k < out.size(); ++k) {
    CAPTURE(k);
    check_close(as_floats(got[k]), as_floats(want[k]), tolerance, 0.1 * tolerance * size);
    // Rows that are left alone keep their bits on both.
    for (std::size_t i = 0; i < want[k].size(); ++i) {
      if (want[k][i] == out[k].start[i] && k == 0) CHECK(got[k][i] == want[k][i]);
    }
  }
}

In flat_table(std::int64_t rows, std::int64_t cols) { return normal(rows, cols, 1); }

}  // namespace

TEST_CASE("optim: flat rules, eager and lazy, all rows and some") {
  if (!adapter_here()) return;
  for (const Rule& rule : kRules) {
    for (const std::int64_t cols : {1, 7, 10, 600}) {
      for (const bool lazy : {false, true}) {
        for (const bool listed : {false, true}) {
          compare(rule, flat_table(cols == 600 ? 5 : 301, cols), 0.0, lazy, listed);
        }
      }
    }
  }
}

TEST_CASE("optim: rules on the ball, eager and lazy, all rows and some") {
  if (!adapter_here()) return;
  for (const Rule& rule : kRules) {
    for (const double kappa : {0.5, 1.0, 2.0, 1e-6}) {
      for (const std::int64_t cols : {1, 10, 600}) {
        for (const bool lazy : {false, true}) {
          const std::int64_t rows = cols == 600 ? 5 : 129;
          const bool listed = lazy != (cols == 10);
          compare(rule, points(rows, cols, kappa, 1, kInnerNorms), kappa, lazy, listed);
          // At the rim, and beyond it, a unit in the last place of a pair grows by λ².
          compare(rule, points(rows, cols, kappa, 1), kappa, lazy, listed, 1e-3);
        }
      }
    }
  }
}

TEST_CASE("optim: squares of gradients in slots") {
  if (!adapter_here()) return;
  for (const std::int64_t cols : {1, 10, 600}) {
    const In g = gradient(77, cols, 2);
    for (const double kappa : {0.0, 1.0, 0.25}) {
      std::vector<In> in{g};
      if (kappa > 0.0) in.push_back(points(77, cols, kappa, 1));
      const std::vector<Out> out{{{1, 3}, ElementType::f64}};
      const auto want = as_doubles(run(kCpu, OpId::optim_squares, in, out, {kappa}, {1})[0]);
      const auto got = as_doubles(run(kWgpu, OpId::optim_squares, in, out, {kappa}, {1})[0]);
      CHECK(got[1] == doctest::Approx(want[1]).epsilon(1e-6));
      CHECK(as_u64(run(kWgpu, OpId::optim_squares, in, out, {kappa}, {1})[0])[2] ==
            (static_cast<std::uint64_t>(kSentinel) << 32U | kSentinel));
    }
  }
}
